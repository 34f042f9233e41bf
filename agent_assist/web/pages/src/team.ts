// What waits for a supervisor beside the calls: compensation to be decided, tasks, and how hard the day is for the team.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem } from "./client";
import { authority, deskWords } from "./desk_words";
import { style } from "./style";
import "./tasks";
import type { CallSummary, Compensation } from "./types";
import { words as pageWords } from "./words";

interface Care {
  team: { agents: number; hours: number; minutes_an_hour: number; hard_share: number; heavy: boolean } | null;
}

const EVERY_MS = 15_000;

@customElement("warmline-team")
export class Team extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  /** Those of the board, by their ids: a request names its call alone. */
  @property({ attribute: false }) calls: ReadonlyMap<string, CallSummary> = new Map();
  @property() words = "en";

  @state() private wanted: Compensation[] = [];
  @state() private care: Care["team"] = null;
  @state() private told = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => void this.load(), EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override firstUpdated(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    // Each stands for itself: what does not answer now is asked again.
    const [wanted, care] = await Promise.allSettled([
      ask<{ compensations: Compensation[] }>(this.gateway, "/v1/compensations?state=pending"),
      ask<Care>(this.gateway, "/v1/care?span=day"),
    ]);
    if (wanted.status === "fulfilled") this.wait(wanted.value.compensations);
    if (care.status === "fulfilled") this.care = care.value.team;
  }

  /** What waits now; the board is told how much. */
  private wait(wanted: Compensation[]): void {
    this.wanted = wanted;
    this.dispatchEvent(new CustomEvent("approvals", { detail: wanted.length }));
  }

  private customer(one: Compensation): string {
    const unknown = pageWords(this.words.startsWith("zh") ? "zh" : "en").unknownCustomer;
    return this.calls.get(one.call_id)?.customer_name ?? one.customer_id ?? unknown;
  }

  private async decide(one: Compensation, approve: boolean): Promise<void> {
    this.told = "";
    try {
      await ask(this.gateway, `/v1/compensations/${encodeURIComponent(one.id)}/decision`, "POST", { approve, note: "" });
      this.wait(this.wanted.filter((other) => other.id !== one.id));
    } catch (error) {
      this.told = isProblem(error) ? error.detail : "…";
      await this.load();
    }
  }

  override render() {
    const d = deskWords(this.words);
    const { care } = this;
    return html`${repeat(this.wanted, (c) => c.id, (c) => html`<article data-testid="approval">
        <p><b data-testid="approval-customer">${this.customer(c)}</b> · ${d.asks(c.asked_by)} <b>${c.amount} ${c.currency}</b> ${d.kinds[c.kind] ?? c.kind} · <a href=${`/overlay?call=${encodeURIComponent(c.call_id)}`}>${c.reason || c.call_id}</a><br /><small class="muted">${authority(c, d.lang)}</small></p>
        <span class="row"><button data-testid="approve" @click=${() => void this.decide(c, true)}>${d.approve}</button> <button data-testid="deny" @click=${() => void this.decide(c, false)}>${d.deny}</button></span>
      </article>`)}
      <p role="status" class="level-critical">${this.told}</p>
      <div class="foot">
        ${care ? html`<p class="care" data-testid="care"><b>${d.team}</b> <span class=${care.heavy ? "level-watch" : "level-none"}>${care.heavy ? d.teamHeavy : d.teamFine}</span> <span class="muted">${d.minutesAnHour(care.minutes_an_hour.toFixed(1))} · ${d.teamOf(care.agents, care.hours.toFixed(0))}</span></p>` : blank}
        <warmline-tasks .gateway=${this.gateway} occasion="team" words=${this.words}></warmline-tasks>
      </div>`;
  }

  static override styles = [
    style,
    css`
      :host {
        display: grid;
        gap: 6px;
        background: none;
      }
      article {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 6px 12px;
        padding: 8px 12px;
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-inline-start: 5px solid var(--warm-watch);
        border-radius: 6px;
        overflow-wrap: anywhere;
      }
      a {
        color: var(--warm-accent);
        font-weight: 600;
        text-decoration: none;
      }
      .row {
        display: flex;
        gap: 8px;
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        align-items: start;
        gap: 4px 24px;
      }
      warmline-tasks {
        flex: 1 1 100%;
        max-width: 560px;
      }
    `,
  ];
}
