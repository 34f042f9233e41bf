// The page of a customer: who they are, how they stand, all that happened; it follows a call while one runs.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type Gateway, LiveChannel, ask, isProblem, takeToken } from "./client";
import { When, alert, cases, days, inWords, likely, partsStyle, segment, tags, told, trade, who, worth } from "./customer_parts";
import { risk, riskStyle } from "./customer_risk";
import type { CustomerAlert, CustomerTask, Entry, Profile, RiskThen, Tag, Told } from "./customer_types";
import { customerWords } from "./customer_words";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, form as fields, page, palette, style } from "./style";
import "./timeline";
import { signed } from "./timeline";
import "./todo";
import "./trend";
import type { TrendPoint } from "./trend";
import type { CallSummary, Me, Message } from "./types";

const PAGE = 50;
/** After a message of a call, before the customer is read anew: what it brings is stored a little later. */
const SETTLE_MS = 1_500;
/** After the end of a call, until it is a contact of the customer. */
const ENDED_MS = 6_000;
/** Between looks where no live channel is. */
const POLL_MS = 10_000;
const MOOD: [number, number] = [-5, 5];
const MOOD_SPLITS = [-5, 0, 5];
const RISK: [number, number] = [0, 1];
/** The levels begin there. */
const RISK_SPLITS = [0, 0.3, 0.5, 0.75, 1];

/** What a part of the page got; null while it waits. */
type Part<T> = { found: T } | { problem: "absent" | "failed" } | null;

/** Newer lines, with what was read before; the latest first. */
export function merged(newer: Entry[], before: Entry[]): Entry[] {
  const all = new Map([...before, ...newer].map((e) => [`${e.kind} ${e.id}`, e]));
  return [...all.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** As an input of the kind datetime-local has it, where the reader is. */
export function localTime(at: string): string {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What is looked for: an address where it looks like one. */
export function sought(text: string): { phone: string } | { email: string } | { id: string } {
  const plain = text.replace(/[\s()-]/g, "");
  if (/^\+\d{5,15}$/.test(plain)) return { phone: plain };
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return { email: text };
  return { id: text };
}

@customElement("warmline-customer")
export class Customer extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private me: Me | null = null;
  @state() private customerId = "";
  /** Empty: now. */
  @state() private at = "";
  @state() private profile: Profile | null = null;
  @state() private problem: { status: number; detail: string } | null = null;
  @state() private busy = false;
  @state() private timeline: Part<{ entries: Entry[]; next: string | null }> = null;
  @state() private risks: Part<RiskThen[]> = null;
  @state() private alerts: Part<CustomerAlert[]> = null;
  @state() private tasks: Part<CustomerTask[]> = null;
  @state() private several: { asked: string; ids: string[] } | null = null;
  @state() private shown: { tag: Tag; events: Told[] | null } | null = null;
  @state() private calls = new Map<string, CallSummary>();
  @state() private failed = "";

  @query("dialog") private dialog!: HTMLDialogElement | null;
  @query("header input") private box!: HTMLInputElement | null;

  private gateway: Gateway = { server: "", token: "" };
  private channel: LiveChannel | null = null;
  private open = false;
  private waiting = 0;
  private ending = 0;
  private polling = 0;
  /** Of the latest load: what an earlier one still brings is not shown. */
  private turn = 0;
  private keys = (event: KeyboardEvent) => this.key(event);

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    const asked = new URLSearchParams(location.search);
    this.customerId = asked.get("id") ?? "";
    const at = asked.get("at") ?? "";
    this.at = Number.isNaN(Date.parse(at)) ? "" : at;
    void this.begin();
    this.polling = window.setInterval(() => !this.open && this.profile && this.at === "" && void this.load(), POLL_MS);
    document.addEventListener("keydown", this.keys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.channel?.close();
    clearInterval(this.polling);
    clearTimeout(this.waiting);
    clearTimeout(this.ending);
    document.removeEventListener("keydown", this.keys);
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${this.profile?.name || this.profile?.customer_id || customerWords(this.look.language).title}`;
  }

  private async begin(): Promise<void> {
    try {
      this.me = await ask<Me>(this.gateway, "/v1/me");
    } catch (error) {
      this.problem = isProblem(error) ? error : { status: 0, detail: "" };
      return;
    }
    this.channel ??= new LiveChannel({
      gateway: this.gateway,
      query: () => ({}),
      onMessage: (message) => this.hear(message),
      onConnection: (connection) => (this.open = connection === "open"),
    });
    if (this.customerId !== "") await this.load();
  }

  private key(event: KeyboardEvent): void {
    const at = event.composedPath()[0];
    if (event.key === "/" && !(at instanceof HTMLInputElement) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.box?.focus();
    }
  }

  private get ids(): Set<string> {
    return new Set([this.customerId, this.profile?.customer_id ?? "", ...(this.profile?.ids ?? [])].filter(Boolean));
  }

  private hear(message: Message): void {
    if (message.kind === "calls") {
      this.calls = new Map(message.data.map((call) => [call.call_id, call]));
    } else if (message.kind === "call") {
      const call = message.data;
      const ends = this.calls.get(call.call_id)?.status === "live" && call.status !== "live";
      this.calls = new Map(this.calls).set(call.call_id, call);
      if (call.customer_id === null || !this.ids.has(call.customer_id)) return;
      this.soon();
      if (ends) this.ending = window.setTimeout(() => this.soon(), ENDED_MS);
    } else if (message.kind === "alert") {
      const { alert: one } = message.data;
      if (!this.ids.has(one.customer_id) || this.at !== "") return;
      this.alerts = { found: [one] };
      this.soon();
    }
  }

  /** Read anew once it is quiet for a moment, and while it is not, every now and then. */
  private soon(): void {
    if (this.waiting !== 0 || this.at !== "" || this.profile === null) return;
    this.waiting = window.setTimeout(() => {
      this.waiting = 0;
      void this.load();
    }, SETTLE_MS);
  }

  private get path(): string {
    return `/v1/customers/${encodeURIComponent(this.customerId)}`;
  }

  private async load(): Promise<void> {
    const turn = ++this.turn;
    this.busy = true;
    try {
      const profile = await ask<Profile>(this.gateway, this.path + (this.at ? `?${new URLSearchParams({ at: this.at }).toString()}` : ""));
      if (turn !== this.turn) return;
      this.profile = profile;
      this.problem = null;
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = isProblem(error) ? error : { status: 0, detail: "" };
      this.busy = false;
      // What was read before stays while the server is away; what may not be seen goes.
      if (this.problem.status !== 0 && this.problem.status < 500) this.profile = null;
      return;
    }
    this.busy = false;
    const now = this.at === "";
    const id = new URLSearchParams({ customer_id: this.profile.customer_id }).toString();
    await Promise.all([
      this.piece<{ entries: Entry[]; next: string | null }>(turn, `${this.path}/timeline?limit=${PAGE}`, (part) => this.takeTimeline(part)),
      this.piece<{ risks: RiskThen[] }>(turn, `${this.path}/risks?limit=200`, (part) => (this.risks = part && "found" in part ? { found: part.found.risks } : part)),
      now ? this.piece<{ alerts: CustomerAlert[] }>(turn, `/v1/alerts?${id}`, (part) => (this.alerts = part && "found" in part ? { found: part.found.alerts } : part)) : undefined,
      now ? this.loadTasks(turn) : undefined,
    ]);
    if (turn === this.turn) await this.fill();
  }

  private loadTasks(turn: number): Promise<void> {
    const asked = new URLSearchParams({ customer_id: this.profile?.customer_id ?? "", state: "open", limit: "100" });
    return this.piece<{ tasks: (CustomerTask & { customer_id: string | null })[] }>(turn, `/v1/tasks?${asked.toString()}`, (part) => {
      this.tasks = part && "found" in part ? { found: part.found.tasks.filter((t) => t.customer_id !== null && this.ids.has(t.customer_id)) } : part;
    });
  }

  private async piece<T>(turn: number, path: string, take: (part: Part<T>) => void): Promise<void> {
    let part: Part<T>;
    try {
      part = { found: await ask<T>(this.gateway, path) };
    } catch (error) {
      part = { problem: isProblem(error) && error.status === 404 ? "absent" : "failed" };
    }
    if (turn === this.turn) take(part);
  }

  private takeTimeline(part: Part<{ entries: Entry[]; next: string | null }>): void {
    const before = this.timeline !== null && "found" in this.timeline ? this.timeline.found : null;
    this.timeline = part !== null && "found" in part && before !== null ? { found: { entries: merged(part.found.entries, before.entries), next: before.next } } : part;
  }

  /** Of the past, pages that hold only what came later are passed over. */
  private async fill(): Promise<void> {
    for (let pages = 0; pages < 20 && this.at !== "" && this.entries.length === 0; pages += 1) {
      if (!(await this.older())) return;
    }
  }

  private async older(): Promise<boolean> {
    if (this.timeline === null || !("found" in this.timeline) || this.timeline.found.next === null) return false;
    const { entries, next } = this.timeline.found;
    const turn = this.turn;
    this.failed = "";
    try {
      const found = await ask<{ entries: Entry[]; next: string | null }>(this.gateway, `${this.path}/timeline?${new URLSearchParams({ limit: String(PAGE), before: next }).toString()}`);
      if (turn !== this.turn) return false;
      this.timeline = { found: { entries: merged(found.entries, entries), next: found.next } };
      return true;
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.noAnswer;
      return false;
    }
  }

  /** Those that had happened. */
  private get entries(): Entry[] {
    if (this.timeline === null || !("found" in this.timeline)) return [];
    const until = this.at === "" ? Infinity : Date.parse(this.at);
    return this.timeline.found.entries.filter((e) => Date.parse(e.at) <= until);
  }

  private get seesAll(): boolean {
    return this.me !== null && ["supervisor", "admin"].includes(this.me.role);
  }

  private async find(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const text = String(new FormData(event.target as HTMLFormElement).get("who") ?? "").trim();
    if (text === "") return;
    this.several = null;
    this.failed = "";
    try {
      // Whoever is quick asks before it is known who they are.
      this.me ??= await ask<Me>(this.gateway, "/v1/me");
      const what = this.seesAll ? sought(text) : { id: text };
      if ("id" in what) return this.show(what.id);
      const ids = await ask<string[]>(this.gateway, `/v1/customers?${new URLSearchParams(what).toString()}`);
      if (ids.length === 1 && ids[0] !== undefined) return this.show(ids[0]);
      this.several = { asked: text, ids };
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.noAnswer;
    }
  }

  private show(id: string): void {
    location.assign(`/customer?${new URLSearchParams({ id }).toString()}`);
  }

  private asOf(value: string): void {
    this.at = value === "" ? "" : new Date(value).toISOString();
    const asked = new URLSearchParams({ id: this.customerId, ...(this.at ? { at: this.at } : {}) });
    history.replaceState(null, "", `${location.pathname}?${asked.toString()}`);
    void this.load();
  }

  private async openTag(tag: Tag): Promise<void> {
    this.shown = { tag, events: null };
    this.dialog?.showModal();
    const asked = new URLSearchParams(tag.evidence.slice(0, 100).map((id) => ["id", id]));
    let events: Told[] = [];
    try {
      events = await ask<Told[]>(this.gateway, `${this.path}/events?${asked.toString()}`);
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.noAnswer;
    }
    if (this.shown?.tag === tag) this.shown = { tag, events };
  }

  private async settleAlert(one: CustomerAlert, what: "acknowledge" | "close"): Promise<void> {
    this.failed = "";
    try {
      this.alerts = { found: [await ask<CustomerAlert>(this.gateway, `/v1/alerts/${encodeURIComponent(one.customer_id)}/${what}`, "POST")] };
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.noAnswer;
      void this.load();
    }
  }

  override render() {
    const w = this.look.words;
    const c = customerWords(w.lang);
    return html`
      <header>
        ${links(w, "customers")}
        <form role="search" @submit=${(e: SubmitEvent) => void this.find(e)}>
          <input name="who" type="search" required maxlength="256" aria-label=${this.seesAll ? c.findLabelAll : c.findLabel} placeholder=${this.seesAll ? c.findLabelAll : c.findLabel} data-testid="who" />
          <button type="submit" data-testid="find">${c.find}</button>
        </form>
        <span class="tools">${this.look.buttons()}</span>
      </header>
      <div role="status">
        ${this.failed ? html`<p class="notice" data-testid="failed">${this.failed}</p>` : blank}
        ${this.profile && this.problem ? html`<p class="notice" data-testid="problem">${c.unavailable} <button @click=${() => void this.load()}>${c.retry}</button></p>` : blank}
        ${this.at && this.profile ? html`<p class="notice" data-testid="past">${c.past(new When(c.lang).time(this.at))}</p>` : blank}
      </div>
      ${this.profile === null ? this.without() : this.page(this.profile)}
      <dialog aria-labelledby="evidence-title" data-testid="evidence-dialog" @close=${() => (this.shown = null)}>
        ${this.shown
          ? html`<h2 id="evidence-title">${c.evidenceOf(inWords(this.shown.tag.name, c.lang) || this.shown.tag.id)}</h2>
              ${this.shown.events === null ? html`<p class="muted">${w.connecting}</p>` : this.shown.events.length === 0 ? html`<p class="muted">${c.eventsGone}</p>` : html`<ul class="plain" tabindex="0">${this.shown.events.map((e) => told(e, w, c, new When(c.lang)))}</ul>`}`
          : blank}
        <p class="end"><button autofocus data-testid="close" @click=${() => this.dialog?.close()}>${c.close}</button></p>
      </dialog>
    `;
  }

  /** Where there is nobody to be shown: not asked yet, not there yet, not to be seen. */
  private without() {
    const w = this.look.words;
    const c = customerWords(w.lang);
    const { problem, several } = this;
    if (several !== null) {
      return html`<main class="empty"><h1 class="visually-hidden">${c.title}</h1>
        <p data-testid="several">${several.ids.length ? c.several(several.asked) : c.nobody(several.asked)}</p>
        <ul class="plain">${several.ids.map((id) => html`<li><a href=${`/customer?${new URLSearchParams({ id }).toString()}`}>${id}</a></li>`)}</ul>
      </main>`;
    }
    if (problem !== null) {
      const text = { 401: w.refused, 403: c.forbidden, 404: c.unknown(this.customerId) }[problem.status] ?? (problem.status >= 400 && problem.status < 500 ? problem.detail : c.unavailable);
      return html`<main class="empty"><h1 class="visually-hidden">${c.title}</h1><p role="alert" data-testid="problem" data-status=${problem.status}>${text}</p>${problem.status === 0 || problem.status >= 500 ? html`<p><button class="main" data-testid="retry" @click=${() => void (this.me ? this.load() : this.begin())}>${c.retry}</button></p>` : blank}</main>`;
    }
    return html`<main class="empty" aria-busy=${this.busy}><h1 class="visually-hidden">${c.title}</h1><p class="muted" data-testid=${this.customerId ? "loading" : "hint"}>${this.customerId ? c.loading : this.seesAll ? c.findHintAll : c.findHint}</p></main>`;
  }

  private page(p: Profile) {
    const w = this.look.words;
    const c = customerWords(w.lang);
    const when = new When(c.lang);
    const segmentName = c.segments[p.segment] ?? p.segment;
    return html`<main aria-busy=${this.busy}>
      <div class="title">
        <div>
          <h1 data-testid="name">${p.name || c.noName}</h1>
          <p class="muted">${p.customer_id}${p.tier ? html` <span class="tag strong" data-testid="tier">${p.tier}</span>` : blank}</p>
        </div>
        <form class="asof" @submit=${(e: Event) => e.preventDefault()}>
          <label>${c.asOf} <input type="datetime-local" data-testid="as-of" .value=${this.at ? localTime(this.at) : ""} max=${localTime(new Date().toISOString())} @change=${(e: Event) => this.asOf((e.target as HTMLInputElement).value)} /></label>
          <button type="button" data-testid="now" aria-pressed=${this.at === ""} @click=${() => this.asOf("")}>${c.now}</button>
        </form>
      </div>
      ${this.at === "" ? this.onCall() : blank} ${this.at === "" ? this.alert() : blank}
      <div class="strip">
        <section class="card"><h2>${c.segment}</h2>${segment(p, segmentName, c)}</section>
        <section class="card"><h2>${c.stage}</h2><p class="big" data-testid="stage">${c.stages[p.stage] ?? p.stage}</p>${inWords(p.talking_point, c.lang) ? html`<p class="small muted">${c.sayNow}</p><p class="small" data-testid="talking-point">${inWords(p.talking_point, c.lang)}</p>` : blank}</section>
        <section class="card"><h2>${c.trade}</h2>${trade(p, c, when)}</section>
        <section class="card"><h2>${c.worth}</h2>${worth(p.clv, c, when)}</section>
      </div>
      <div class="columns">
        <div class="column past">
          <section class="card" data-testid="risk"><h2>${c.risk}</h2>${risk(p.risk, w, c)} ${this.history()}</section>
          <section class="card" data-testid="mood"><h2>${c.mood}</h2>${this.mood()}</section>
          <section class="card" data-testid="timeline"><h2>${c.timeline}</h2>
            ${this.timeline !== null && "problem" in this.timeline
              ? this.missing(this.timeline.problem)
              : html`<warmline-timeline .entries=${this.entries} .more=${this.timeline !== null && this.timeline.found.next !== null} .busy=${this.timeline === null} language=${this.look.language} theme=${this.theme} @older=${() => void this.older()}></warmline-timeline>`}
          </section>
        </div>
        <div class="column now">
          <section class="card" data-testid="cases"><h2>${c.cases}</h2>${cases(p, c, when)}</section>
          ${this.at === "" ? html`<section class="card" data-testid="tasks"><h2>${c.tasks}</h2>${this.todo()}</section>` : blank}
          ${likely(p, c)}
        </div>
        <div class="column about">
          <section class="card" data-testid="tags"><h2>${c.tags}</h2>${tags(p, c, when, (tag) => void this.openTag(tag))}</section>
          <section class="card" data-testid="who-they-are"><h2>${c.title}</h2>${who(p, c, when)}</section>
          <section class="card" data-testid="days"><h2>${c.days}</h2>${days(p, c, when)}</section>
        </div>
      </div>
    </main>`;
  }

  private missing(problem: "absent" | "failed") {
    const c = customerWords(this.look.language);
    return html`<p class="muted" data-testid=${problem}>${problem === "absent" ? c.absent : c.sectionFailed}</p>`;
  }

  private onCall() {
    const w = this.look.words;
    const c = customerWords(w.lang);
    const running = [...this.calls.values()].filter((call) => call.status === "live" && call.customer_id !== null && this.ids.has(call.customer_id));
    return html`<div role="status">${running.map((call) => html`<section class="card live" data-testid="on-call">
        <p><span class="dot open" aria-hidden="true"></span> <b>${c.onCall}</b> <span class="muted">${c.sinceTime(new Intl.DateTimeFormat(c.lang, { timeStyle: "short" }).format(new Date(call.started_at)))}${call.agent_id ? ` · ${call.agent_id}` : ""}</span>
          ${call.emotion === "unknown" ? blank : html`<span class=${`emotion-${call.emotion}`} data-testid="on-call-emotion">${w.labels[call.emotion]}</span>`} <span class="muted">${w.risk}</span> <span class=${`badge level-${call.risk.level}`} data-testid="on-call-risk">${w.levels[call.risk.level]}</span>
          <a class="button" href=${`/overlay?call=${encodeURIComponent(call.call_id)}`}>${c.follow}</a></p>
      </section>`)}</div>`;
  }

  private alert() {
    if (this.alerts === null) return blank;
    const w = this.look.words;
    const c = customerWords(w.lang);
    if ("problem" in this.alerts) return html`<section class="card"><h2>${c.alert}</h2>${this.missing(this.alerts.problem)}</section>`;
    const acts = this.seesAll || this.me?.role === "senior";
    return this.alerts.found.map((one) => alert(one, w, c, new When(c.lang), acts ? (what) => void this.settleAlert(one, what) : null));
  }

  private todo() {
    if (this.tasks === null) return html`<p class="muted">${this.look.words.connecting}</p>`;
    if ("problem" in this.tasks) return this.missing(this.tasks.problem);
    return html`<warmline-todo .gateway=${this.gateway} .tasks=${this.tasks.found} language=${this.look.language} ?acts=${this.me !== null && ["agent", "senior", "supervisor", "admin"].includes(this.me.role)} @settled=${(e: CustomEvent<string>) => this.settled(e.detail)}></warmline-todo>`;
  }

  private settled(id: string): void {
    if (id === "") void this.loadTasks(this.turn);
    else if (this.tasks !== null && "found" in this.tasks) this.tasks = { found: this.tasks.found.filter((t) => t.id !== id) };
  }

  private history() {
    const c = customerWords(this.look.language);
    const head = html`<h3>${c.riskHistory}</h3>`;
    if (this.risks === null) return blank;
    if ("problem" in this.risks) return html`${head}${this.missing(this.risks.problem)}`;
    const when = new When(c.lang);
    const until = this.at === "" ? Infinity : Date.parse(this.at);
    const say = (at: string, score: number, level: keyof typeof levels) => `${when.time(at)} · ${Math.round(score * 100)} % ${levels[level]}`;
    const levels = this.look.words.levels;
    const points: TrendPoint[] = this.risks.found
      .filter((r) => r.risk.score !== null && r.risk.level !== "unknown" && Date.parse(r.at) <= until)
      .map((r) => ({ at: r.at, value: r.risk.score ?? 0, told: say(r.at, r.risk.score ?? 0, r.risk.level) }))
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    if (points.length === 0) return html`${head}<p class="muted" data-testid="no-history">${c.noHistory}</p>`;
    return html`${head}<warmline-trend data-testid="risk-history" data-points=${points.length} .points=${points} .range=${RISK} .splits=${RISK_SPLITS} .format=${percents} label=${`${c.riskHistory}: ${c.chartTold(points.length, points.at(-1)?.told ?? "")}`} language=${c.lang} theme=${this.theme}></warmline-trend>`;
  }

  private mood() {
    const c = customerWords(this.look.language);
    if (this.timeline === null) return html`<p class="muted">${this.look.words.connecting}</p>`;
    if ("problem" in this.timeline) return this.missing(this.timeline.problem);
    const when = new When(c.lang);
    const points: TrendPoint[] = this.entries
      .filter((e) => e.mood !== null)
      .map((e) => ({ at: e.at, value: (e.mood?.value ?? 0) * 5, hollow: e.mood?.of === "text", told: `${when.time(e.at)} · ${signed((e.mood?.value ?? 0) * 5)} · ${c.channels[e.channel ?? ""] ?? c.kind[e.kind]}${e.issue ? ` · ${e.issue}` : ""}` }))
      .reverse();
    if (points.length === 0) return html`<p class="muted" data-testid="no-mood">${c.noMood}</p>`;
    return html`<warmline-trend data-testid="mood-curve" data-points=${points.length} .points=${points} .range=${MOOD} .splits=${MOOD_SPLITS} .format=${moods} label=${`${c.mood}: ${c.chartTold(points.length, points.at(-1)?.told ?? "")}`} language=${c.lang} theme=${this.theme}></warmline-trend>
      <p class="muted small">${c.moodHint}</p>`;
  }

  static override styles = [
    palette,
    style,
    page,
    fields,
    partsStyle,
    riskStyle,
    css`
      header form {
        display: flex;
        gap: 6px;
        flex: 0 1 420px;
      }
      header button {
        white-space: nowrap;
      }
      header input {
        background: var(--warm-background);
        flex: 1 1 auto;
      }
      main {
        display: grid;
        gap: 14px;
        padding: 16px 20px 40px;
        max-width: 1320px;
        margin: 0 auto;
      }
      .empty {
        padding: 18vh 20px;
        text-align: center;
        font-size: 16px;
      }
      .title {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        align-items: end;
        gap: 8px 20px;
      }
      .title h1 {
        font-size: 24px;
        line-height: 1.25;
      }
      .asof {
        display: flex;
        gap: 6px;
        align-items: end;
      }
      .strip {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: 14px;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
        gap: 14px;
        grid-template-rows: auto 1fr;
        align-items: start;
      }
      .past {
        grid-row: 1 / span 2;
      }
      .now,
      .about {
        grid-column: 2;
      }
      .column {
        display: grid;
        gap: 14px;
        min-width: 0;
      }
      h3 {
        font-size: 12.5px;
        color: var(--warm-muted);
        margin: 14px 0 4px;
      }
      /* Where nobody is on a call it takes no room. */
      main > [role="status"]:empty {
        margin-bottom: -14px;
      }
      .live {
        border-inline-start: 5px solid var(--warm-good);
      }
      .live p {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
      }
      .live a {
        margin-inline-start: auto;
      }
      @media (max-width: 1000px) {
        .strip {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        .past,
        .now,
        .about {
          grid-area: auto;
        }
        /* What is open with them before what was. */
        .now {
          order: -1;
        }
        .now,
        .about {
          grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr));
          align-items: start;
        }
      }
      @media (max-width: 520px) {
        .strip {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      dialog {
        border: 1px solid var(--warm-line);
        border-radius: 10px;
        background: var(--warm-background);
        color: var(--warm-text);
        width: min(620px, 92vw);
        max-height: 84vh;
      }
      dialog[open] {
        display: flex;
        flex-direction: column;
      }
      dialog ul {
        overflow-y: auto;
      }
      dialog dl {
        grid-template-columns: repeat(2, max-content minmax(0, 1fr));
      }
      @media (max-width: 640px) {
        dialog dl {
          grid-template-columns: max-content minmax(0, 1fr);
        }
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      dialog .end {
        text-align: end;
        margin-top: 12px;
      }
      dialog li {
        padding: 10px 0;
        border-top: 1px solid var(--warm-line);
      }
      dialog dl {
        margin-top: 4px;
      }
    `,
  ];
}

const percents = (value: number) => `${Math.round(value * 100)} %`;
const moods = (value: number) => (value > 0 ? `+${value}` : `${value}`);
