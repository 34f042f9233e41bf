// The agent's overlay: narrow, beside a CRM, or inside it as <warmline-overlay call="..." server="..." token="...">.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { classMap } from "lit/directives/class-map.js";
import { repeat } from "lit/directives/repeat.js";
import { type Connection, type Gateway, LiveChannel, ask, callPath, isProblem, sendFeedback, takeToken } from "./client";
import "./curve";
import { type CallView, apply, nothing } from "./state";
import { Look } from "./look";
import { type Theme, chosenTheme, style } from "./style";
import type { Action, CallRecord, Card, Keys, Label, Me, Utterance } from "./types";
import { clock } from "./words";

const FACES: Record<Label, string> = {
  neutral: "M8 15h8",
  satisfied: "M8 14q4 4 8 0",
  angry: "M8 16q4 -4 8 0M7 8l3 1.5M17 8l-3 1.5",
  anxious: "M8 16q2 -2 4 0t4 0",
  disappointed: "M8 16q4 -4 8 0",
  unknown: "M10 9.5q0 -2.5 2 -2.5t2 2q0 1.5 -2 2.5v1.5M12 16.5v.5",
};
const STEPS = ["greeting", "closing"];

@customElement("warmline-overlay")
export class Overlay extends LitElement {
  /** A call's id, or "latest" to follow the newest call. */
  @property() call = "latest";
  /** Where the gateway is; empty for the page's own origin. */
  @property() server = "";
  @property() token = "";
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private view: CallView = nothing;
  @state() private connection: Connection = "connecting";
  @state() private retryAt = 0;
  @state() private now = Date.now();
  @state() private curveOpen = false;
  @state() private customerOnly = false;
  @state() private following = true;
  @state() private pending = new Map<string, Set<Action>>();
  @state() private failed = "";
  @state() private me: Me | null = null;

  @query(".transcript") private transcript!: HTMLElement | null;

  private channel: LiveChannel | null = null;
  private ticking = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    const asked = new URLSearchParams(location.search).get("call");
    if (this.hasAttribute("call") && this.getAttribute("call") === "latest" && asked) this.call = asked;
    this.token ||= takeToken();
    void ask<Me>(this.gateway, "/v1/me").then(
      (me) => (this.me = me),
      () => undefined, // The channel says so, too.
    );
    this.channel = new LiveChannel({
      gateway: this.gateway,
      query: () => ({ call: this.call, ...(this.view.epoch && this.view.record && this.call !== "latest" ? { epoch: this.view.epoch, after: String(this.view.seq) } : {}) }),
      onMessage: (message) => {
        this.view = apply(this.view, message);
      },
      onConnection: (connection, retryInMs) => {
        this.connection = connection;
        this.retryAt = Date.now() + retryInMs;
      },
    });
    this.ticking = window.setInterval(() => (this.now = Date.now()), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.channel?.close();
    clearInterval(this.ticking);
  }

  override updated(): void {
    this.lang = this.look.words.lang;
    if (!this.hasAttribute("embedded") && document.body.contains(this)) document.documentElement.lang = this.look.words.lang;
    if (this.following && this.transcript) this.transcript.scrollTop = this.transcript.scrollHeight;
  }

  override render() {
    const record = this.view.record;
    return html`
      ${this.header(record)} ${this.notice()}
      ${record === null
        ? this.connection === "open" || this.view.waiting
          ? html`<section class="empty" data-testid="waiting"><h2>${this.look.words.waiting}</h2><p class="muted">${this.look.words.waitingHint}</p></section>`
          : blank
        : html`
            ${this.alerts(record)} ${this.desk(record)}
            <main>
              ${this.mood(record)} ${this.risk(record)} ${this.checklist(record)} ${this.cards(record)} ${this.said(record)}
              ${this.measures(record)}
            </main>
          `}
    `;
  }

  private header(record: CallRecord | null) {
    const w = this.look.words;
    const name = record === null ? w.overlay : (record.customer_name ?? record.customer_id ?? w.unknownCustomer);
    const started = record?.started_at ? Date.parse(record.started_at) : null;
    const length = record === null ? 0 : record.status === "live" && started !== null ? this.now - started : record.duration_ms;
    return html`<header>
      <span class=${`dot ${this.connection}`} data-testid="connection" role="img" aria-label=${this.connection}></span>
      <h1>${name}</h1>
      ${record === null
        ? blank
        : html`<span class="muted">${record.queue ?? ""}</span>
            <span class="status" data-testid="status">${w[record.status]}</span>
            <time data-testid="timer">${clock(length)}</time>`}
      <span class="tools">
          ${this.look.buttons()}
      </span>
    </header>`;
  }

  private notice() {
    const w = this.look.words;
    const text = {
      connecting: this.view.record === null ? w.connecting : "",
      open: "",
      retrying: w.retrying(Math.max(0, Math.ceil((this.retryAt - this.now) / 1000))),
      refused: w.refused,
      gone: w.gone,
    }[this.connection];
    return html`<div class="notices" role="status">
      ${text ? html`<p class="notice">${text}</p>` : blank} ${this.failed ? html`<p class="notice">${this.failed}</p>` : blank}
      ${this.degraded()}
    </div>`;
  }

  private degraded() {
    const all = this.view.record?.degraded ?? [];
    const lasts = all.filter((d, n) => !d.over && !all.slice(n).some((later) => later.over && later.stage === d.stage));
    const last = lasts.at(-1);
    if (last === undefined || this.view.record?.status !== "live") return blank;
    return html`<p class="notice" data-testid="degraded">${this.look.words.degraded}: ${last.stage} (${last.reason})</p>`;
  }

  private alerts(record: CallRecord) {
    const alerts = record.cards.filter((c) => c.kind === "alert").sort((a, b) => b.at_ms - a.at_ms);
    return html`<section class="alerts" role="alert" aria-label=${this.look.words.alerts}>
      ${repeat(
        alerts,
        (c) => c.id,
        (c) => html`<article class="alert arrives" data-testid="alert">
          <strong>${c.text}</strong>
          <span>${c.title} · ${clock(c.at_ms)}</span>
          <span class="why">${c.reason}</span>
        </article>`,
      )}
    </section>`;
  }

  private get gateway(): Gateway {
    return { server: this.server, token: this.token };
  }

  /** What supervisors and experts say; below it, the way to ask them, or, for them, to say it. */
  private desk(record: CallRecord) {
    const w = this.look.words;
    const role = this.me?.role;
    const answered = new Set(record.whispers.map((x) => x.answers));
    const open = record.asked.filter((a) => !answered.has(a.id));
    const agent = role === "agent" || role === "senior";
    const speaks = role === "supervisor" || role === "expert" || role === "admin";
    const live = record.status === "live";
    if (record.whispers.length + open.length === 0 && !(live && (agent || speaks))) return blank;
    const label = agent ? w.askWhat : w.whisperTo;
    return html`<section class="desk" aria-live="assertive">
      ${repeat(record.whispers.slice(-3), (x) => x.id, (x) => html`<p class="whisper arrives" data-testid="whisper"><b>${w.fromDesk(x.by)}</b> ${x.text}</p>`)}
      ${repeat(open, (a) => a.id, (a) => html`<p class="asked" data-testid="asked"><b>${a.by} ${w.question}:</b> ${a.question} ${agent && live ? html`<small class="muted">${w.waitingAnswer}</small>` : blank}</p>`)}
      ${live && (agent || speaks)
        ? html`<form @submit=${(e: SubmitEvent) => void this.speak(e, record.call_id, agent ? null : (open[0]?.id ?? ""))}>
            <input name="text" required maxlength="1000" aria-label=${label} placeholder=${label} data-testid="desk-text" />
            <button type="submit" data-testid="desk-send">${agent ? w.askExpert : open.length ? w.answer : w.send}</button>
          </form>`
        : blank}
    </section>`;
  }

  /** Ask, where `answers` is null; else say something to the agent. */
  private async speak(event: SubmitEvent, call: string, answers: string | null): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const text = String(new FormData(form).get("text") ?? "");
    this.failed = "";
    try {
      if (answers === null) await ask(this.gateway, `${callPath(call)}/questions`, "POST", { question: text });
      else await ask(this.gateway, `${callPath(call)}/whispers`, "POST", { text, answers: answers || null });
      form.reset();
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.notSaved;
    }
  }

  private mood(record: CallRecord) {
    const w = this.look.words;
    // What is being said counts as soon as it has a mood; a final takes its place.
    const speaking = [...this.view.partials.values()].map((p) => p.emotion).filter((e) => e && e.label !== "unknown");
    const last = speaking.at(-1) ?? record.utterances.filter((u) => u.emotion !== null).at(-1)?.emotion;
    const label = last?.label ?? "unknown";
    return html`<section class="mood">
      <button
        class=${`face emotion-${label}`}
        data-testid="emotion"
        data-label=${label}
        aria-expanded=${this.curveOpen}
        @click=${() => (this.curveOpen = !this.curveOpen)}
        title=${w.curve}
      >
        <svg viewBox="0 0 24 24" width="40" height="40" aria-hidden="true">
          <circle cx="12" cy="12" r="10" stroke-dasharray=${label === "unknown" ? "3 2.5" : "none"} />
          ${label === "unknown" ? blank : html`<svg><circle class="eye" cx="9" cy="10" r="1.1" /><circle class="eye" cx="15" cy="10" r="1.1" /></svg>`}
          <path d=${FACES[label]} />
        </svg>
        <span><b>${w.labels[label]}</b>${last && label !== "unknown" ? html`<br /><small>${w.sure(Math.round(100 * last.confidence))}</small>` : blank}</span>
      </button>
      ${this.curveOpen
        ? html`<figure data-testid="curve">
            <figcaption>${w.curve} <small class="muted">${w.curveHint}</small></figcaption>
            ${record.curve.some((p) => p.score !== null) ? html`<warmline-curve .points=${record.curve} .turns=${record.turns} .words=${w} .duration=${record.duration_ms} theme=${this.theme}></warmline-curve>` : html`<p class="muted">${w.noCurve}</p>`}
          </figure>`
        : blank}
    </section>`;
  }

  private risk(record: CallRecord) {
    const w = this.look.words;
    const { score, level, reasons } = record.risk;
    const percent = score === null ? 0 : Math.round(100 * score);
    return html`<section class="risk" aria-labelledby="risk-title">
      <h2 id="risk-title">${w.risk} <span class=${`badge level-${level}`} data-testid="risk-level" data-level=${level}>${w.levels[level]}</span></h2>
      ${score === null || level === "unknown"
        ? html`<p class="muted">${w.riskUnknown}</p>`
        : html`<div class="bar" role="meter" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent} aria-labelledby="risk-title">
              <span class=${`level-${level}`} style=${`width:${percent}%`}></span>
            </div>
            <ul data-testid="risk-reasons">
              ${reasons
                .filter((r) => r.name !== "base_rate" && Math.abs(r.contribution) >= 0.01)
                .slice(0, 5)
                .map((r) => html`<li><span>${w.reasons[r.name] ?? r.name}</span><b>${r.contribution > 0 ? "+" : "−"}${Math.round(100 * Math.abs(r.contribution))}</b></li>`)}
            </ul>`}
    </section>`;
  }

  private checklist(record: CallRecord) {
    const w = this.look.words;
    const done = new Map(record.cards.filter((c) => c.kind === "tick").map((c) => [c.rule, c]));
    const steps = [...STEPS, ...[...done.keys()].filter((rule) => !STEPS.includes(rule))];
    return html`<section>
      <h2>${w.checklist}</h2>
      <ul class="steps">
        ${steps.map((rule) => {
          const tick = done.get(rule);
          return html`<li data-testid=${`tick-${rule}`} data-done=${tick !== undefined} title=${tick?.reason ?? ""}>
            <span aria-hidden="true">${tick ? "☑" : "☐"}</span> ${w.rules[rule] ?? tick?.title ?? rule}
            ${tick ? html`<time class="muted">${clock(tick.at_ms)}</time>` : blank}
          </li>`;
        })}
      </ul>
    </section>`;
  }

  private given(record: CallRecord, card: Card): Set<Action> {
    const given = new Set(record.feedback.filter((f) => f.card_id === card.id).map((f) => f.action));
    for (const action of this.pending.get(card.id) ?? []) given.add(action);
    return given;
  }

  private cards(record: CallRecord) {
    const w = this.look.words;
    const shown = record.cards
      .filter((c) => c.kind === "card" && !this.given(record, c).has("dismissed"))
      .sort((a, b) => b.priority - a.priority || b.at_ms - a.at_ms);
    return html`<section class="cards" aria-live="polite">
      <h2>${w.cards}</h2>
      ${shown.length === 0 ? html`<p class="muted">${w.noCards}</p>` : blank}
      ${repeat(
        shown,
        (c) => c.id,
        (c) => this.card(record, c),
      )}
    </section>`;
  }

  private card(record: CallRecord, card: Card) {
    const w = this.look.words;
    const given = this.given(record, card);
    const button = (action: Action, face: string) => html`<button
      aria-pressed=${given.has(action)}
      aria-label=${w.actions[action]}
      title=${w.actions[action]}
      data-testid=${`${action}-${card.rule}`}
      ?disabled=${given.has(action)}
      @click=${() => void this.answer(record.call_id, card.id, action)}
    >
      ${face}
    </button>`;
    return html`<article class="card arrives" ?provisional=${card.provisional ?? false} data-testid=${`card-${card.rule}`}>
      <h3>${card.title}</h3>
      <p>${card.text}</p>
      <p class="why">
        ${card.reason} ${(card.trigger ?? []).filter((t) => !card.reason.includes(t)).map((t) => html`<mark>${t}</mark> `)}
        <small>${clock(card.at_ms)}${card.source ? ` · ${card.source}` : ""}</small>
      </p>
      <div class="actions">${button("used", w.actions.used)} ${button("dismissed", w.actions.dismissed)} ${button("up", "▲")} ${button("down", "▼")}</div>
    </article>`;
  }

  private async answer(call: string, card: string, action: Action): Promise<void> {
    const set = (change: (actions: Set<Action>) => void) => {
      const actions = new Set(this.pending.get(card));
      change(actions);
      this.pending = new Map(this.pending).set(card, actions);
    };
    set((actions) => actions.add(action));
    this.failed = "";
    try {
      await sendFeedback(this.gateway, call, card, action);
    } catch {
      set((actions) => actions.delete(action));
      this.failed = this.look.words.notSaved;
    }
  }

  private said(record: CallRecord) {
    const w = this.look.words;
    const partials = [...this.view.partials.values()].sort((a, b) => a.start_ms - b.start_ms);
    const wanted = (who: string) => !this.customerOnly || who === "customer";
    const nobody = record.utterances.length + record.keys.length === 0 && partials.length === 0;
    return html`<section class="words">
      <h2>
        ${w.transcript}
        <span class="tools">
          <button aria-pressed=${this.customerOnly} @click=${() => (this.customerOnly = !this.customerOnly)}>${w.customerOnly}</button>
          <button aria-pressed=${this.following} @click=${() => (this.following = !this.following)}>${w.autoScroll}</button>
        </span>
      </h2>
      <div class="transcript" tabindex="0" role="log" aria-label=${w.transcript} @scroll=${this.scrolled}>
        ${nobody ? html`<p class="muted">${w.noWords}</p>` : blank}
        ${repeat(
          [...record.utterances, ...record.keys].filter((one) => wanted(one.channel)).sort((a, b) => a.start_ms - b.start_ms),
          (one) => one.id,
          (one) => ("text" in one ? this.utterance(one) : this.keys(one)),
        )}
        ${repeat(
          partials.filter((p) => wanted(p.channel)),
          (p) => p.utterance_id,
          (p) => html`<p class=${`said partial ${p.channel}`} data-testid="transcript-partial" aria-hidden="true">
            <small>${w.who[p.channel]} · ${w.talking}</small><span class="committed">${p.text.slice(0, p.committed)}</span>${p.text.slice(p.committed)}
          </p>`,
        )}
      </div>
      ${this.following ? blank : html`<button class="newest" @click=${() => (this.following = true)}>${w.newest} ↓</button>`}
    </section>`;
  }

  private keys(k: Keys) {
    return html`<p class=${`said ${k.channel}`} data-testid="transcript-keys" data-id=${k.id}>
      <small>${this.look.words.who[k.channel]} · ${clock(k.start_ms)}</small>${this.look.words.pressed} <kbd>${k.keys || "•".repeat(k.count)}</kbd>
    </p>`;
  }

  private utterance(u: Utterance) {
    const label = u.emotion?.label;
    return html`<p class=${classMap({ said: true, [u.channel]: true })} data-testid="transcript-final" data-id=${u.id} lang=${u.language === "zh" ? "zh-CN" : u.language}>
      <small>${this.look.words.who[u.channel]} · ${clock(u.start_ms)}${label && label !== "unknown" && label !== "neutral" ? html` · <span class=${`emotion-${label}`}>${this.look.words.labels[label]}</span>` : blank}</small
      >${u.text}
    </p>`;
  }

  private scrolled(event: Event): void {
    const box = event.currentTarget as HTMLElement;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    if (this.following && !atEnd) this.following = false;
    if (!this.following && atEnd) this.following = true;
  }

  private measures(record: CallRecord) {
    const w = this.look.words;
    const { customer, agent, interruptions, non_talk_ms } = record.measures;
    const pace = customer.characters_per_minute ?? customer.words_per_minute;
    const unit = customer.characters_per_minute !== null ? w.cpm : w.wpm;
    const share = agent.talk_share;
    return html`<footer>
      <span>${w.share} <b>${share === null ? "–" : `${Math.round(100 * share)} %`}</b></span>
      <span>${w.interruptions} <b>${interruptions}</b></span>
      <span>${w.silence} <b>${clock(non_talk_ms)}</b></span>
      <span>${w.speed} <b>${pace === null ? "–" : `${Math.round(pace)} ${unit}`}</b></span>
    </footer>`;
  }

  static override styles = [
    style,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100vh;
        max-width: 460px;
        min-width: 300px;
        margin: 0 auto;
        border-inline: 1px solid var(--warm-line);
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 12px;
        background: var(--warm-surface);
        border-bottom: 1px solid var(--warm-line);
      }
      header h1 {
        font-size: 16px;
        flex: 1 1 auto;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      time {
        font-variant-numeric: tabular-nums;
      }
      .tools {
        display: inline-flex;
        gap: 4px;
        margin-inline-start: auto;
      }
      .notice {
        padding: 6px 12px;
        background: var(--warm-highlight);
      }
      .alerts {
        flex: none;
        max-height: 30vh;
        overflow: auto;
      }
      .alert {
        display: grid;
        gap: 2px;
        padding: 10px 12px;
        background: var(--warm-bad-surface);
        color: var(--warm-bad);
        border-inline-start: 5px solid var(--warm-bad);
        border-bottom: 1px solid var(--warm-line);
      }
      .alert strong {
        font-size: 17px;
      }
      .desk {
        flex: none;
        max-height: 24vh;
        overflow: auto;
        background: var(--warm-surface);
        border-bottom: 1px solid var(--warm-line);
        display: grid;
        gap: 4px;
      }
      .whisper {
        padding: 5px 8px;
        background: var(--warm-highlight);
        border-radius: 6px;
      }
      .desk form {
        display: flex;
        gap: 6px;
      }
      .desk input {
        flex: 1 1 auto;
        min-width: 0;
        padding: 4px 8px;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        background: var(--warm-background);
      }
      main {
        flex: 1 1 auto;
        min-height: 0;
        overflow-y: auto;
        display: flex;
        flex-direction: column;
      }
      section,
      footer {
        padding: 8px 12px;
      }
      main > section {
        border-bottom: 1px solid var(--warm-line);
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 8px;
        font-size: 12px;
        letter-spacing: 0.02em;
        color: var(--warm-muted);
        margin-bottom: 4px;
      }
      .empty {
        padding: 20vh 24px;
        text-align: center;
      }
      .empty h2 {
        font-size: 18px;
        justify-content: center;
        color: var(--warm-text);
      }
      .face {
        display: flex;
        align-items: center;
        gap: 10px;
        text-align: start;
        border: 0;
        background: none;
        padding: 0;
      }
      .face svg {
        fill: none;
        stroke: currentColor;
        stroke-width: 1.6;
        stroke-linecap: round;
      }
      .face .eye {
        fill: currentColor;
        stroke: none;
      }
      figure {
        margin: 8px 0 0;
      }
      .bar {
        height: 6px;
        border-radius: 3px;
        background: var(--warm-line);
        overflow: hidden;
      }
      .bar span {
        display: block;
        height: 100%;
        background: currentColor;
        transition: width 0.3s;
      }
      ul {
        list-style: none;
        margin: 6px 0 0;
        padding: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
      }
      .risk li {
        display: inline-flex;
        gap: 4px;
      }
      .cards {
        flex: 0 1 auto;
        min-height: 150px;
        max-height: 42vh;
        overflow-y: auto;
      }
      .card {
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-inline-start: 4px solid var(--warm-accent);
        border-radius: 8px;
        padding: 8px 10px;
        margin-bottom: 8px;
      }
      .card[provisional] {
        opacity: 0.7;
      }
      .card h3 {
        font-size: 14px;
      }
      .why {
        color: var(--warm-muted);
        font-size: 12.5px;
        margin-top: 3px;
      }
      .alert .why {
        color: inherit;
      }
      mark {
        background: var(--warm-highlight);
        color: var(--warm-text);
        border-radius: 3px;
        padding: 0 3px;
      }
      .actions {
        display: flex;
        gap: 6px;
        margin-top: 6px;
      }
      .words {
        flex: 1 0 220px;
        min-height: 220px;
        display: flex;
        flex-direction: column;
        position: relative;
      }
      .transcript {
        flex: 1 1 0;
        min-height: 0;
        overflow-y: auto;
      }
      .said {
        background: var(--warm-surface);
        border-radius: 8px;
        padding: 4px 9px;
        margin: 0 24px 6px 0;
        width: fit-content;
        max-width: calc(100% - 24px);
      }
      .said.agent {
        background: var(--warm-agent);
        margin: 0 0 6px auto;
      }
      .said small {
        display: block;
        color: var(--warm-muted);
        font-size: 11.5px;
      }
      .partial {
        background: none;
        border: 1px dashed var(--warm-line);
        color: var(--warm-muted);
      }
      .committed {
        color: var(--warm-text);
      }
      .newest {
        position: absolute;
        bottom: 14px;
        left: 50%;
        transform: translateX(-50%);
      }
      footer {
        position: sticky;
        bottom: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 2px 14px;
        background: var(--warm-surface);
        border-top: 1px solid var(--warm-line);
        font-size: 12.5px;
        color: var(--warm-muted);
      }
      footer b {
        color: var(--warm-text);
      }
    `,
  ];
}
