// All that happened with a customer, on every channel, the latest first.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { When } from "./customer_parts";
import { type Entry, KINDS, type Kind } from "./customer_types";
import { type CustomerWords, customerWords } from "./customer_words";
import { page, style } from "./style";
import { words } from "./words";

/** -5 ... +5, with its sign. */
export function signed(value: number): string {
  const shown = Math.abs(value).toFixed(1);
  return shown === "0.0" ? "0" : `${value > 0 ? "+" : "−"}${shown}`;
}

@customElement("warmline-timeline")
export class Timeline extends LitElement {
  @property({ attribute: false }) entries: Entry[] = [];
  /** Whether there are older ones. */
  @property({ type: Boolean }) more = false;
  @property({ type: Boolean }) busy = false;
  @property() language: "zh" | "en" = "en";

  @state() private kind: Kind | null = null;

  override render() {
    const c = customerWords(this.language);
    const shown = this.kind === null ? this.entries : this.entries.filter((e) => e.kind === this.kind);
    const button = (kind: Kind | null, name: string) => html`<button aria-pressed=${this.kind === kind} data-testid=${`kind-${kind ?? "all"}`} @click=${() => (this.kind = kind)}>${name}</button>`;
    return html`<div class="kinds" role="group" aria-label=${c.timeline}>${button(null, c.all)} ${KINDS.map((kind) => button(kind, c.kinds[kind]))}</div>
      ${shown.length === 0 && !this.busy ? html`<p class="muted" data-testid="no-entries">${this.kind === null ? c.noEntries : c.noneOfKind}</p>` : blank}
      <ol>
        ${repeat(shown, (e) => `${e.kind} ${e.id}`, (e) => this.entry(e, c))}
      </ol>
      ${this.more ? html`<button data-testid="older" ?disabled=${this.busy} @click=${() => this.dispatchEvent(new CustomEvent("older"))}>${c.older}</button>` : blank}`;
  }

  private entry(e: Entry, c: CustomerWords) {
    const w = words(this.language);
    const when = new When(c.lang);
    const title = (e.kind === "case" ? (c.types[e.issue] ?? e.issue) : e.issue) || (e.kind === "order" || e.kind === "case" ? e.id : (c.channels[e.channel ?? ""] ?? c.kind[e.kind]));
    const about = [e.channel ? (c.channels[e.channel] ?? e.channel) : "", e.direction ? c.directions[e.direction] : "", e.agent_id ?? "", e.kind === "order" || e.kind === "case" ? e.id : ""].filter((one) => one && one !== title);
    const live = e.kind === "call" && e.status === "live";
    return html`<li data-testid="entry" data-kind=${e.kind}>
      <time datetime=${e.at}>${when.day(e.at)}<br />${when.hour(e.at)}</time>
      <div class="what">
        <p>
          <span class="tag">${c.kind[e.kind]}</span>
          ${e.call_id ? html`<a href=${`/${live ? "overlay" : "replay"}?call=${encodeURIComponent(e.call_id)}`} data-testid="entry-call">${title}</a>` : html`<b>${title}</b>`}
          ${e.amount !== null ? html`<span>${when.money(e.amount, e.currency)}</span>` : blank}
          ${e.score !== null ? html`<span>${e.score}</span>` : blank}
          ${e.status && e.status !== "ended" ? html`<span class=${live ? "level-none" : "muted"}>${c.statuses[e.status] ?? e.status}</span>` : blank}
          ${e.complaint ? html`<span class="level-critical">${c.complaint}</span>` : blank}
          ${e.solved === null ? blank : html`<span class=${e.solved ? "level-none" : "level-watch"}>${e.solved ? c.solved : c.unsolved}</span>`}
          ${e.mood ? html`<span class=${e.mood.value < -0.2 ? "level-critical" : e.mood.value > 0.2 ? "level-none" : "muted"}>${c.moodValue(signed(e.mood.value * 5))}</span>` : blank}
          ${e.risk && e.risk.level !== "unknown" ? html`<span class=${`badge level-${e.risk.level}`}><span class="visually-hidden">${w.risk}: </span>${w.levels[e.risk.level]}</span>` : blank}
        </p>
        ${e.line ? html`<p class="said">${e.line}</p>` : blank}
        ${about.length ? html`<p class="muted small">${about.join(" · ")}</p>` : blank}
      </div>
    </li>`;
  }

  static override styles = [
    style,
    page,
    css`
      :host {
        background: none;
        min-height: 0;
      }
      .kinds {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-bottom: 8px;
      }
      ol {
        list-style: none;
        margin: 0 0 10px;
        padding: 0;
      }
      li {
        display: grid;
        grid-template-columns: 112px minmax(0, 1fr);
        gap: 4px 12px;
        padding: 8px 0;
        border-top: 1px solid var(--warm-line);
        overflow-wrap: anywhere;
      }
      time {
        color: var(--warm-muted);
        font-size: 12.5px;
        padding-top: 1px;
      }
      .what p:first-child {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 2px 8px;
      }
      .badge {
        font-size: 12px;
        padding: 0 7px;
      }
      .small {
        font-size: 12.5px;
      }
      time {
        line-height: 1.5;
      }
      @media (max-width: 520px) {
        li {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];
}
