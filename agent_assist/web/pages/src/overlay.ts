// The agent's overlay: narrow, beside a CRM, or inside it as <warmline-overlay call="..." server="..." token="...">.

import { LitElement, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { classMap } from "lit/directives/class-map.js";
import { repeat } from "lit/directives/repeat.js";
import { type Connection, type Gateway, LiveChannel, ask, callPath, isProblem, sendFeedback, takeToken } from "./client";
import { steady } from "./calm";
import "./candidates";
import "./compensation";
import "./curve";
import { deskWords } from "./desk_words";
import { flow, flowStyle } from "./flow";
import { Look } from "./look";
import "./lookup";
import { overlayStyle } from "./overlay_style";
import { badges, customerLink, pop } from "./pop";
import { type CallView, apply, nothing } from "./state";
import { type Theme, chosenTheme, palette, style } from "./style";
import "./summary";
import "./tasks";
import type { Action, CallRecord, CallSummary, Card, FoundCall, Keys, Label, Me, Utterance } from "./types";
import { clock } from "./words";

const FACES: Record<Label, string> = {
  neutral: "M8 15h8",
  satisfied: "M8 14q4 4 8 0",
  angry: "M8 16q4 -4 8 0M7 8l3 1.5M17 8l-3 1.5",
  anxious: "M8 16q2 -2 4 0t4 0",
  disappointed: "M8 16q4 -4 8 0",
  unknown: "M10 9.5q0 -2.5 2 -2.5t2 2q0 1.5 -2 2.5v1.5M12 16.5v.5",
};
type Folding = "risk" | "checklist";

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

  @state() private contacts: CallSummary[] | null = null;
  @state() private flowOpen = false;
  /** What the agent has folded or unfolded by hand; the rest is open while there is no advice. */
  @state() private unfolded: Partial<Record<Folding, boolean>> = {};
  @state() private held = false;

  @query("main") private main!: HTMLElement | null;
  @query(".words") private words!: HTMLElement | null;
  @query(".transcript") private transcript!: HTMLElement | null;

  private channel: LiveChannel | null = null;
  private ticking = 0;
  private order: string[] = [];
  private under: { place: HTMLElement; top: number } | null = null;
  private contactsOf = "";

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

  override willUpdate(): void {
    const under = [...this.renderRoot.querySelectorAll<HTMLElement>("main :hover")].at(-1);
    this.under = under === undefined ? null : { place: under, top: under.getBoundingClientRect().top };
  }

  override updated(): void {
    this.stay();
    void this.loadContacts();
    this.lang = this.look.words.lang;
    if (!this.hasAttribute("embedded") && document.body.contains(this)) document.documentElement.lang = this.look.words.lang;
    if (this.following && this.transcript) this.transcript.scrollTop = this.transcript.scrollHeight;
  }

  /** What came above the pointer must not move what is under it. */
  private stay(): void {
    if (this.under === null || this.main === null || !this.under.place.isConnected) return;
    const moved = this.under.place.getBoundingClientRect().top - this.under.top;
    if (moved === 0) return;
    const wanted = this.main.scrollTop + moved;
    this.main.scrollTop = wanted;
    // Where there is nothing to scroll, room is made until the pointer has gone; what grows to fill gives way first.
    for (let tries = 0; tries < 3 && Math.abs(wanted - this.main.scrollTop) > 0.5; tries += 1) {
      const side = wanted > this.main.scrollTop ? "paddingBottom" : "paddingTop";
      const gives = side === "paddingBottom" && this.words !== null ? this.words.offsetHeight - parseFloat(getComputedStyle(this.words).minHeight) : 0;
      const room = parseFloat(this.main.style[side] || "0") + Math.abs(wanted - this.main.scrollTop) + gives;
      this.main.style[side] = `${room}px`;
      if (side === "paddingTop") break;
      this.main.scrollTop = wanted;
    }
  }

  private giveRoomBack(): void {
    this.main?.style.removeProperty("padding-top");
    this.main?.style.removeProperty("padding-bottom");
  }

  /** The customer's calls before this one, once for each call. */
  private async loadContacts(): Promise<void> {
    const record = this.view.record;
    if (record === null || record.call_id === this.contactsOf || !record.customer_id) return;
    this.contactsOf = record.call_id;
    this.contacts = null;
    try {
      const query = new URLSearchParams({ customer: record.customer_id, limit: "6" });
      const { found } = await ask<{ found: FoundCall[] }>(this.gateway, `/v1/search?${query.toString()}`);
      const earlier = found.map((f) => f.call).filter((c) => c.call_id !== record.call_id && c.customer_id === record.customer_id);
      if (this.contactsOf === record.call_id) this.contacts = earlier.slice(0, 3);
    } catch {
      // Nice to have: without it the rest is as good.
      this.contacts = null;
    }
  }

  private get mayCompensate(): boolean {
    return this.me !== null && ["agent", "senior", "supervisor", "admin"].includes(this.me.role);
  }

  override render() {
    const record = this.view.record;
    const w = this.look.words;
    const d = deskWords(w.lang);
    const over = record !== null && record.status !== "live";
    return html`
      ${this.header(record)} ${this.notice()} ${this.pause()}
      ${record === null
        ? this.connection === "open" || this.view.waiting
          ? html`<section class="empty" data-testid="waiting"><h2>${this.look.words.waiting}</h2><p class="muted">${this.look.words.waitingHint}</p></section>`
          : blank
        : html`
            ${pop(record, this.contacts, this.gateway, d, w)} <warmline-candidates .gateway=${this.gateway} .record=${record} words=${w.lang}></warmline-candidates> ${this.alerts(record)} ${this.desk(record)}
            <main @pointerleave=${() => this.giveRoomBack()}>
              ${over ? this.wrapUp(record) : blank}
              <div class=${classMap({ state: true, folded: !this.isOpen(record, "risk") })}>${this.mood(record)} ${this.risk(record)}</div>
              ${record.flow ? flow(record.flow, d, this.flowOpen, (open) => (this.flowOpen = open)) : blank} ${this.checklist(record)} ${this.cards(record)} ${this.hints(record)}
              <section><warmline-lookup .gateway=${this.gateway} .suggested=${record.articles ?? []} words=${w.lang}></warmline-lookup></section>
              ${this.said(record)}
              ${over ? blank : this.wrapUp(record)}
              ${this.measures(record)}
            </main>
          `}
    `;
  }

  /** What is done about a call when it is over, or can be before. */
  private wrapUp(record: CallRecord) {
    const w = this.look.words;
    const agent = this.me?.role === "agent" || this.me?.role === "senior";
    const tasks = record.cards.filter((c) => c.kind === "task").length;
    return html`<section class="after">
      <warmline-summary .gateway=${this.gateway} .record=${record} .me=${this.me} words=${w.lang}></warmline-summary>
      ${this.mayCompensate ? html`<warmline-compensation .gateway=${this.gateway} .record=${record} words=${w.lang}></warmline-compensation>` : blank}
      ${agent ? html`<warmline-tasks mine .gateway=${this.gateway} occasion=${`${record.call_id} ${record.status} ${tasks}`} words=${w.lang}></warmline-tasks>` : blank}
    </section>`;
  }

  private header(record: CallRecord | null) {
    const w = this.look.words;
    const name = record === null ? w.overlay : (record.customer_name ?? record.customer_id ?? w.unknownCustomer);
    const started = record?.started_at ? Date.parse(record.started_at) : null;
    const length = record === null ? 0 : record.status === "live" && started !== null ? this.now - started : record.duration_ms;
    return html`<header>
      <span class=${`dot ${this.connection}`} data-testid="connection" role="img" aria-label=${this.connection}></span>
      <h1 title=${name}>${record?.customer_id ? html`<a class="customer" href=${customerLink(this.gateway, record.customer_id)} target="_blank" rel="noopener" data-testid="customer-link">${name}</a>` : name}</h1>
      ${record === null ? blank : badges(record, deskWords(w.lang))}
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

  /** A pause is offered, once; it waits until it is seen. */
  private pause() {
    const { pause } = this.view;
    if (pause === null) return blank;
    const d = deskWords(this.look.words.lang);
    return html`<section class="pause" role="status" data-testid="pause">
      <p lang=${pause.language === "zh" ? "zh-CN" : "en"}><b lang=${d.lang}>${d.pause}</b> ${pause.text}</p>
      <button data-testid="pause-seen" @click=${() => (this.view = { ...this.view, pause: null })}>${d.fine}</button>
    </section>`;
  }

  /** What the customer need not be asked again, the last two. */
  private hints(record: CallRecord) {
    const hints = record.hints ?? [];
    if (hints.length === 0 || record.status !== "live") return blank;
    return html`<section class="hints" aria-live="polite">${repeat(hints.slice(-2), (h) => h.id, (h) => html`<p data-testid="hint" lang=${h.language === "zh" ? "zh-CN" : "en"}>${h.text}</p>`)}</section>`;
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

  private advice(record: CallRecord): Card[] {
    return record.cards.filter((c) => (c.kind === "card" || c.kind === "task") && !this.given(record, c).has("dismissed"));
  }

  /** Advice comes first: beside it a part is one line, until somebody opens it. */
  private isOpen(record: CallRecord, part: Folding): boolean {
    return this.unfolded[part] ?? this.advice(record).length === 0;
  }

  private fold(event: Event, record: CallRecord, part: Folding): void {
    event.preventDefault();
    this.unfolded = { ...this.unfolded, [part]: !this.isOpen(record, part) };
  }

  private risk(record: CallRecord) {
    const w = this.look.words;
    const { score, level, reasons } = record.risk;
    const percent = score === null ? 0 : Math.round(100 * score);
    return html`<section class="risk" aria-labelledby="risk-title">
      <details ?open=${this.isOpen(record, "risk")}>
        <summary data-testid="risk-summary" @click=${(e: Event) => this.fold(e, record, "risk")}><h2 id="risk-title">${w.risk} <span class=${`badge level-${level}`} data-testid="risk-level" data-level=${level}>${w.levels[level]}</span></h2></summary>
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
      </details>
    </section>`;
  }

  private checklist(record: CallRecord) {
    const w = this.look.words;
    const ticks = new Map(record.cards.filter((c) => c.kind === "tick").map((c) => [c.rule, c]));
    // What the flow shows as a step is not shown twice.
    for (const step of record.flow?.steps ?? []) ticks.delete(step.id);
    const done = [...ticks.values()];
    if (done.length === 0) return blank;
    return html`<section class="checklist" data-testid="checklist">
      <details ?open=${this.isOpen(record, "checklist")}>
        <summary @click=${(e: Event) => this.fold(e, record, "checklist")}><h2>${w.checklist} <span>☑ ${done.length}</span></h2></summary>
        <ul class="steps">
          ${done.map((tick) => html`<li data-testid=${`tick-${tick.rule}`} data-done="true" title=${tick.reason}>
            <span aria-hidden="true">☑</span> ${tick.title} <time class="muted">${clock(tick.at_ms)}</time>
          </li>`)}
        </ul>
      </details>
    </section>`;
  }

  private given(record: CallRecord, card: Card): Set<Action> {
    const given = new Set(record.feedback.filter((f) => f.card_id === card.id).map((f) => f.action));
    for (const action of this.pending.get(card.id) ?? []) given.add(action);
    return given;
  }

  private cards(record: CallRecord) {
    const w = this.look.words;
    const wanted = this.advice(record)
      .sort((a, b) => b.priority - a.priority || b.at_ms - a.at_ms);
    const { shown, waiting } = steady(wanted, this.order, this.held);
    this.order = shown.map((c) => c.id);
    return html`<section
      class="cards"
      aria-live="polite"
      @pointerenter=${() => (this.held = true)}
      @pointerleave=${() => (this.held = this.isFocused())}
      @focusin=${() => (this.held = true)}
      @focusout=${() => (this.held = false)}
    >
      <h2>${w.cards}${waiting ? html` <button class="badge level-watch" data-testid="waiting-cards" @click=${() => this.showAll()}>${deskWords(w.lang).waitingCards(waiting)}</button>` : blank}</h2>
      ${shown.length === 0 ? html`<p class="muted">${w.noCards}</p>` : blank}
      ${repeat(
        shown,
        (c) => c.id,
        (c) => this.card(record, c),
      )}
    </section>`;
  }

  private isFocused(): boolean {
    return (this.renderRoot as ShadowRoot).activeElement?.closest(".cards") != null;
  }

  private showAll(): void {
    this.order = [];
    this.requestUpdate();
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
    const { customer, agent, interruptions, non_talk_ms, holds = 0, hold_ms = 0 } = record.measures;
    const pace = customer.characters_per_minute ?? customer.words_per_minute;
    const unit = customer.characters_per_minute !== null ? w.cpm : w.wpm;
    const share = agent.talk_share;
    return html`<footer>
      <span>${w.share} <b>${share === null ? "–" : `${Math.round(100 * share)} %`}</b></span>
      <span>${w.interruptions} <b>${interruptions}</b></span>
      <span>${w.silence} <b>${clock(non_talk_ms)}</b></span>
      ${holds ? html`<span data-testid="holds">${w.holds} <b>${holds} · ${clock(hold_ms)}</b></span>` : blank}
      <span>${w.speed} <b>${pace === null ? "–" : `${Math.round(pace)} ${unit}`}</b></span>
    </footer>`;
  }

  static override styles = [palette, style, flowStyle, overlayStyle];
}
