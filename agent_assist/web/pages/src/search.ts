// Stored calls to be found again, and the case library.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem, takeToken } from "./client";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, form as fields, page, palette, style } from "./style";
import type { Clip, FoundCall, Label, Me } from "./types";
import { clock } from "./words";

const EMOTIONS: Label[] = ["angry", "anxious", "disappointed", "satisfied", "neutral"];
const FIELDS = ["words", "speaker", "emotion", "rule", "shift", "silence", "customer", "agent", "since", "until"];

/** What the form holds as the API wants it; empty fields are left out. Times are those of the browser's zone. */
export function asked(form: Map<string, string>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of form) {
    if (value.trim() === "") continue;
    if (name === "since" || name === "until") query.set(name, new Date(value).toISOString());
    else if (name === "silence") query.set("silence_ms", String(Math.round(Number(value) * 1000)));
    else query.set(name, value.trim());
  }
  return query;
}

@customElement("warmline-search")
export class Search extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private found: FoundCall[] | null = null;
  @state() private next: string | null = null;
  @state() private clips: Clip[] | null = null;
  @state() private me: Me | null = null;
  @state() private problem = "";
  @state() private busy = false;
  private gateway: Gateway = { server: "", token: "" };
  private given = new Map<string, string>();

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    const address = new URLSearchParams(location.search);
    this.given = new Map(FIELDS.flatMap((name) => (address.has(name) ? [[name, address.get(name) ?? ""] as [string, string]] : [])));
    void this.begin();
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${this.look.words.searchCalls}`;
  }

  private async begin(): Promise<void> {
    await this.tried(async () => {
      this.me = await ask<Me>(this.gateway, "/v1/me");
      if (this.mayHear) this.clips = (await ask<{ clips: Clip[] }>(this.gateway, "/v1/clips")).clips;
    });
    if (this.given.size > 0) await this.find();
  }

  private get mayHear(): boolean {
    return this.me !== null && !["agent", "senior"].includes(this.me.role);
  }

  private async tried(act: () => Promise<void>): Promise<void> {
    this.problem = "";
    this.busy = true;
    try {
      await act();
    } catch (error) {
      const w = this.look.words;
      this.problem = isProblem(error) ? (error.status === 401 ? w.refused : error.detail) : w.noAnswer;
    }
    this.busy = false;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    this.given = new Map(FIELDS.map((name) => [name, String(form.get(name) ?? "")] as [string, string]).filter(([, value]) => value.trim() !== ""));
    // The address tells what was asked for, so that it can be passed on.
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams([...this.given]).toString()}`);
    await this.find();
  }

  private async find(before: string | null = null): Promise<void> {
    const query = asked(this.given);
    if (before !== null) query.set("before", before);
    await this.tried(async () => {
      const page = await ask<{ found: FoundCall[]; next: string | null }>(this.gateway, `/v1/search?${query.toString()}`);
      this.found = before === null ? page.found : [...(this.found ?? []), ...page.found];
      this.next = page.next;
    });
  }

  private async drop(clip: Clip): Promise<void> {
    await this.tried(async () => {
      await ask(this.gateway, `/v1/clips/${clip.id}`, "DELETE");
      this.clips = (this.clips ?? []).filter((c) => c.id !== clip.id);
    });
  }

  override render() {
    const w = this.look.words;
    const value = (name: string) => this.given.get(name) ?? "";
    const option = (name: string, key: string, label: string) => html`<option value=${key} ?selected=${value(name) === key}>${label}</option>`;
    return html`
      <header>
        ${links(w, "search")}
        <h1 class="visually-hidden">${w.searchCalls}</h1>
        <span class="tools">
          ${this.look.buttons()}
        </span>
      </header>
      <main>
        <form role="search" @submit=${(e: SubmitEvent) => void this.submit(e)}>
          <label class="wide">${w.searchWords} <input name="words" type="search" maxlength="256" .value=${value("words")} data-testid="words" /></label>
          <label>${w.speaker} <select name="speaker">${option("speaker", "", w.anybody)} ${option("speaker", "customer", w.who.customer)} ${option("speaker", "agent", w.who.agent)}</select></label>
          <label>${w.emotionTitle} <select name="emotion" data-testid="emotion">${option("emotion", "", w.anyEmotion)} ${EMOTIONS.map((e) => option("emotion", e, w.labels[e]))}</select></label>
          <label>${w.shift} <select name="shift">${option("shift", "", w.anyEmotion)} ${option("shift", "-2", w.shiftDown)} ${option("shift", "2", w.shiftUp)}</select></label>
          <label>${w.silenceAtLeast} <input name="silence" type="number" min="0" max="3600" .value=${value("silence")} /></label>
          <label>${w.ruleName} <input name="rule" maxlength="100" .value=${value("rule")} /></label>
          <label>${w.customerName} <input name="customer" maxlength="100" .value=${value("customer")} /></label>
          <label>${w.agentName} <input name="agent" maxlength="100" .value=${value("agent")} /></label>
          <label>${w.from} <input name="since" type="datetime-local" .value=${value("since")} /></label>
          <label>${w.to} <input name="until" type="datetime-local" .value=${value("until")} /></label>
          <button class="main" type="submit" ?disabled=${this.busy} data-testid="find">${w.find}</button>
        </form>
        <div role="status">${this.problem ? html`<p class="notice" data-testid="problem">${this.problem}</p>` : blank}</div>
        <section aria-live="polite">
          ${this.found === null ? html`<p class="muted">${w.findHint}</p>` : this.found.length === 0 ? html`<p class="muted" data-testid="none">${w.foundNone}</p>` : blank}
          <ol>
            ${repeat(this.found ?? [], (f) => f.call.call_id, (f) => this.line(f))}
          </ol>
          ${this.next ? html`<button @click=${() => void this.find(this.next)} ?disabled=${this.busy}>${w.more}</button>` : blank}
        </section>
        ${this.clips === null
          ? blank
          : html`<section>
              <h2>${w.library}</h2>
              ${this.clips.length === 0 ? html`<p class="muted">${w.noClips}</p>` : blank}
              <ol>
                ${repeat(this.clips, (c) => c.id, (c) => this.clip(c))}
              </ol>
            </section>`}
      </main>
    `;
  }

  private line({ call, hits }: FoundCall) {
    const w = this.look.words;
    const to = (ms: number) => `/replay?call=${encodeURIComponent(call.call_id)}&at=${ms}`;
    const time = new Intl.DateTimeFormat(w.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(call.started_at));
    return html`<li data-testid="found">
      <a href=${to(0)}>${call.customer_name ?? call.customer_id ?? call.call_id}</a>
      ${call.customer_id ? html`<a class="who" href=${`/customer?${new URLSearchParams({ id: call.customer_id }).toString()}`} data-testid="customer-link">${call.customer_id}</a>` : blank}
      <span class="muted">${time} · ${clock(call.duration_ms)}${call.agent_id ? ` · ${call.agent_id}` : ""}</span>
      <span class=${`emotion-${call.emotion}`}>${w.labels[call.emotion]}</span>
      <span class=${`badge level-${call.risk.level}`}>${w.levels[call.risk.level]}</span>
      ${hits.length ? html`<ul>${hits.map((h) => html`<li><a href=${to(h.start_ms)}>${clock(h.start_ms)}</a> <span class="muted">${w.who[h.channel]}</span> ${h.text}</li>`)}</ul>` : blank}
    </li>`;
  }

  private clip(c: Clip) {
    const w = this.look.words;
    return html`<li data-testid="kept-clip">
      <a href=${`/replay?call=${encodeURIComponent(c.call_id)}&at=${c.start_ms}`}>${c.title}</a>
      <span class="muted">${clock(c.start_ms)}–${clock(c.end_ms)} · ${c.by}</span> ${c.tags.map((t) => html`<span class="tag">${t}</span>`)}
      ${this.me && ["supervisor", "qa", "admin"].includes(this.me.role) ? html`<button @click=${() => void this.drop(c)} aria-label=${`${w.remove}: ${c.title}`}>${w.remove}</button>` : blank}
      ${c.note ? html`<p>${c.note}</p>` : blank}
    </li>`;
  }

  static override styles = [
    palette,
    style,
    page,
    fields,
    css`
      h2 {
        font-size: 14px;
        margin-bottom: 6px;
      }
      main {
        display: grid;
        gap: 18px;
        padding: 16px 20px;
        max-width: 1100px;
        margin: 0 auto;
      }
      form {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(170px, 1fr));
        gap: 10px 14px;
        align-items: end;
      }
      .wide {
        grid-column: 1 / -1;
      }
      ol,
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      ol > li {
        padding: 8px 10px;
        border-bottom: 1px solid var(--warm-line);
        background: var(--warm-surface);
      }
      .who {
        font-weight: 400;
        font-size: 12.5px;
      }
      ul {
        margin: 4px 0 0 16px;
      }
    `,
  ];
}
