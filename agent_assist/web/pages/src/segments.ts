// The board of segments: how many customers stand where, what they bought for, and who moved since they were counted before.

import { LitElement, css, html, nothing as blank, svg } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type Gateway, ask, isProblem, takeToken } from "./client";
import { When, inWords, partsStyle } from "./customer_parts";
import type { Board, Held, Move } from "./customer_types";
import { type CustomerWords, customerWords } from "./customer_words";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, page, palette, style } from "./style";

type By = "segment" | "stage";
const PAGE = 50;
const STAGES = ["lead", "new", "growing", "regular", "silent", "at_risk", "lapsed", "won_back"];
const [WIDE, HIGH] = [96, 24];

interface Wanted {
  now: string;
  /** Undefined: wherever they were. */
  before?: string;
}

/** Points of a line in a box of WIDE by HIGH, 0 at its foot. */
export function line(counts: number[]): string {
  const most = Math.max(...counts, 1);
  const x = (n: number) => (counts.length < 2 ? WIDE / 2 : 2 + (n * (WIDE - 4)) / (counts.length - 1));
  return counts.map((count, n) => `${x(n).toFixed(1)},${(HIGH - 2 - (count / most) * (HIGH - 4)).toFixed(1)}`).join(" ");
}

/** Names on both sides of the moves, in the order of the parts; those that are no more, last. */
export function sides(moves: Move[], order: string[]): { before: (string | null)[]; now: (string | null)[] } {
  const place = (name: string | null) => (name === null ? Infinity : order.includes(name) ? order.indexOf(name) : order.length);
  const side = (of: (move: Move) => string | null) => [...new Set(moves.map(of))].sort((a, b) => place(a) - place(b));
  return { before: side((m) => m.before), now: side((m) => m.now) };
}

@customElement("warmline-segments")
export class Segments extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private board: Board | null = null;
  @state() private by: By = "segment";
  @state() private problem: { status: number; detail: string } | null = null;
  @state() private wanted: Wanted | null = null;
  @state() private held: Held[] | null = null;
  @state() private next: string | null = null;
  @state() private busy = false;
  @state() private failed = "";

  @query("#held") private heading!: HTMLElement | null;

  private gateway: Gateway = { server: "", token: "" };

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    void this.load();
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${customerWords(this.look.language).board}`;
  }

  private async load(): Promise<void> {
    this.problem = null;
    try {
      this.board = await ask<Board>(this.gateway, "/v1/segments");
    } catch (error) {
      this.problem = isProblem(error) ? error : { status: 0, detail: "" };
    }
  }

  private async choose(wanted: Wanted): Promise<void> {
    this.wanted = wanted;
    [this.held, this.next] = [null, null];
    await this.more();
    await this.updateComplete;
    this.heading?.focus();
    this.heading?.scrollIntoView({ block: "start" });
  }

  private async more(): Promise<void> {
    const { wanted, by } = this;
    if (wanted === null) return;
    const asked = new URLSearchParams({ [by]: wanted.now, limit: String(PAGE) });
    if (wanted.before !== undefined) asked.set(`${by}_before`, wanted.before);
    if (this.next !== null) asked.set("cursor", this.next);
    this.busy = true;
    this.failed = "";
    try {
      const found = await ask<{ customers: Held[]; next: string | null }>(this.gateway, `/v1/segments/customers?${asked.toString()}`);
      if (this.wanted !== wanted) return;
      this.held = [...(this.held ?? []), ...found.customers];
      this.next = found.next;
    } catch (error) {
      this.failed = isProblem(error) ? error.detail : this.look.words.noAnswer;
    }
    this.busy = false;
  }

  private divide(by: By): void {
    this.by = by;
    [this.wanted, this.held, this.next] = [null, null, null];
  }

  private name(id: string | null, c: CustomerWords): string {
    if (id === null) return "";
    // A name of the operator's own table comes before ours.
    return this.by === "stage" ? (c.stages[id] ?? id) : inWords(this.board?.names[id], c.lang) || (c.segments[id] ?? id);
  }

  override render() {
    const w = this.look.words;
    const c = customerWords(w.lang);
    const when = new When(c.lang);
    const b = this.board;
    const text = this.problem === null ? "" : ({ 401: w.refused, 403: c.boardForbidden, 404: c.absent }[this.problem.status] ?? c.unavailable);
    return html`
      <header>
        ${links(w, "segments")}
        <span class="tools">${this.look.buttons()}</span>
      </header>
      ${b === null || b.as_of === null
        ? html`<main class="empty"><h1 class="visually-hidden">${c.board}</h1>
            <p role=${text ? "alert" : "status"} class=${text ? "" : "muted"} data-testid=${text ? "problem" : b === null ? "loading" : "never"}>${text || (b === null ? c.boardLoading : c.neverCounted)}</p>
            ${this.problem !== null && (this.problem.status === 0 || this.problem.status >= 500) ? html`<p><button class="main" data-testid="retry" @click=${() => void this.load()}>${c.retry}</button></p>` : blank}
          </main>`
        : html`<main>
            <div class="title">
              <div>
                <h1>${c.board}</h1>
                <p class="muted" data-testid="counted">${c.countedAt(new Intl.NumberFormat(c.lang).format(b.customers), when.time(b.as_of))}${b.before ? ` · ${c.against(when.day(b.before))}` : ""}</p>
              </div>
              <div class="by" role="group" aria-label=${c.byWhich}>
                ${(["segment", "stage"] as const).map((by) => html`<button aria-pressed=${this.by === by} data-testid=${`by-${by}`} @click=${() => this.divide(by)}>${by === "segment" ? c.bySegment : c.byStage}</button>`)}
              </div>
            </div>
            ${this.parts(b, c, when)}
            <div class="lower">${this.moves(b, c)} ${this.list(b, c, when)}</div>
          </main>`}
    `;
  }

  private get order(): string[] {
    const parts = (this.by === "segment" ? this.board?.segments : this.board?.stages) ?? [];
    const ids = parts.map((part) => part.id);
    return this.by === "segment" ? ids : STAGES;
  }

  private parts(b: Board, c: CustomerWords, when: When) {
    const parts = [...(this.by === "segment" ? b.segments : b.stages)].sort((x, y) => this.order.indexOf(x.id) - this.order.indexOf(y.id));
    const counts = (id: string) => b.past.map((one) => (this.by === "segment" ? one.segments : one.stages)[id] ?? 0);
    const number = new Intl.NumberFormat(c.lang);
    const share = (part: number, of: number) => (of > 0 ? (part / of) * 100 : 0);
    const all = Number(b.value);
    const before = b.past.length > 1;
    return html`<section class="card scrolls"><table class="parts">
      <thead><tr>${c.columns.map((name, n) => html`<th scope="col" class=${n === 0 ? "" : "number"}>${name}</th>`)}</tr></thead>
      <tbody>
        ${parts.map((part) => {
          const name = this.name(part.id, c);
          const past = counts(part.id);
          const change = part.customers - (past.at(-2) ?? 0);
          return html`<tr data-testid=${`part-${part.id}`}>
            <th scope="row"><button class="link" data-testid="hold" aria-label=${c.holds(name)} aria-pressed=${this.wanted?.now === part.id && this.wanted.before === undefined} @click=${() => void this.choose({ now: part.id })}>${name}</button></th>
            <td class="number">${number.format(part.customers)}</td>
            <td class="number">${share(part.customers, b.customers).toFixed(1)} %<span class="meter" aria-hidden="true"><i style=${`width:${share(part.customers, b.customers)}%`}></i></span></td>
            <td class="number">${before ? (change === 0 ? "0" : `${change > 0 ? "+" : "−"}${number.format(Math.abs(change))}`) : "–"}</td>
            <td class="number">${when.money(part.value, b.currency)}</td>
            <td class="number">${share(Number(part.value), all).toFixed(1)} %<span class="meter" aria-hidden="true"><i style=${`width:${share(Number(part.value), all)}%`}></i></span></td>
            <td class="number"><svg viewBox="0 0 ${WIDE} ${HIGH}" width=${WIDE} height=${HIGH} role="img" aria-label=${`${c.trendOf(name)}: ${past.join(", ")}`}>
              ${past.length > 1 ? svg`<polyline points=${line(past)} />` : svg`<circle cx=${WIDE / 2} cy=${HIGH / 2} r="2.5" />`}
            </svg></td>
          </tr>`;
        })}
      </tbody>
    </table></section>`;
  }

  private moves(b: Board, c: CustomerWords) {
    const moves = this.by === "segment" ? b.segment_moves : b.stage_moves;
    if (b.before === null || moves.length === 0) return html`<section class="card"><h2>${c.movesTitle}</h2><p class="muted" data-testid="first-count">${c.firstCount}</p></section>`;
    const { before, now } = sides(moves, this.order);
    const most = Math.max(...moves.filter((m) => m.before !== m.now).map((m) => m.customers), 1);
    const number = new Intl.NumberFormat(c.lang);
    const from = (id: string | null) => (id === null ? c.came : this.name(id, c));
    const to = (id: string | null) => (id === null ? c.gone : this.name(id, c));
    return html`<section class="card"><h2>${c.movesTitle}</h2><p class="muted small">${c.movesHint}</p>
      <div class="scrolls" tabindex="0" role="region" aria-label=${c.movesTitle}><table class="moves" data-testid="moves">
        <thead><tr><td class="corner muted">${c.from} ↓ ${c.to} →</td>${now.map((id) => html`<th scope="col">${to(id)}</th>`)}</tr></thead>
        <tbody>
          ${before.map((was) => html`<tr>
            <th scope="row">${from(was)}</th>
            ${now.map((is) => {
              const move = moves.find((m) => m.before === was && m.now === is);
              if (move === undefined) return html`<td class="none">·</td>`;
              const stayed = was === is;
              const shade = stayed ? "" : `--part:${Math.round(8 + 26 * (move.customers / most))}%`;
              const chosen = this.wanted !== null && this.wanted.now === is && this.wanted.before === was;
              return html`<td class=${stayed ? "stayed" : "moved"} style=${shade}>
                ${was !== null && is !== null
                  ? html`<button data-testid=${`move-${was}-${is}`} aria-pressed=${chosen} aria-label=${c.moveLabel(from(was), to(is), move.customers)} @click=${() => void this.choose({ now: is, before: was })}>${number.format(move.customers)}</button>`
                  : html`<span data-testid=${`move-${was}-${is}`}>${number.format(move.customers)}</span>`}
              </td>`;
            })}
          </tr>`)}
        </tbody>
      </table></div>
    </section>`;
  }

  private list(b: Board, c: CustomerWords, when: When) {
    if (this.wanted === null) return blank;
    const { now, before } = this.wanted;
    const title = before === undefined ? this.name(now, c) : c.fromTo(this.name(before, c), this.name(now, c));
    const other: By = this.by === "segment" ? "stage" : "segment";
    const words = (by: By, id: string | null) => (id === null ? "" : by === "stage" ? (c.stages[id] ?? id) : inWords(b.names[id], c.lang) || (c.segments[id] ?? id));
    return html`<section class="card" aria-busy=${this.busy}>
      <h2 id="held" tabindex="-1">${title}</h2>
      ${this.failed ? html`<p role="alert" class="level-watch">${this.failed}</p>` : blank}
      ${this.held?.length === 0 ? html`<p class="muted" data-testid="none-held">${c.noneHeld}</p>` : blank}
      ${this.held?.length
        ? html`<div class="scrolls"><table class="held">
            <thead><tr><th scope="col">${c.title}</th><th scope="col">${other === "stage" ? c.stage : c.segment}</th><th scope="col">${c.wasBefore}</th><th scope="col" class="number">${c.value}</th></tr></thead>
            <tbody>${this.held.map((one) => html`<tr data-testid="held">
              <td><a href=${`/customer?${new URLSearchParams({ id: one.customer_id }).toString()}`}>${one.name || one.customer_id}</a> ${one.name ? html`<small class="muted">${one.customer_id}</small>` : blank}</td>
              <td>${words(other, one[other])}</td>
              <td class="muted">${words(this.by, one[`${this.by}_before`])}</td>
              <td class="number">${when.money(one.value, b.currency)}</td>
            </tr>`)}</tbody>
          </table></div>`
        : blank}
      ${this.next ? html`<button data-testid="more" ?disabled=${this.busy} @click=${() => void this.more()}>${c.more}</button>` : blank}
    </section>`;
  }

  static override styles = [
    palette,
    style,
    page,
    partsStyle,
    css`
      main {
        display: grid;
        gap: 14px;
        padding: 16px 20px 40px;
        max-width: 1320px;
        margin: 0 auto;
        grid-template-columns: minmax(0, 1fr);
      }
      .empty {
        padding: 18vh 20px;
        text-align: center;
        font-size: 16px;
      }
      .empty p + p {
        margin-top: 12px;
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
      .by {
        display: flex;
        gap: 6px;
      }
      .scrolls {
        overflow-x: auto;
      }
      .lower {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 14px;
        align-items: start;
      }
      @media (min-width: 1200px) {
        .lower:has(#held) {
          grid-template-columns: minmax(0, max-content) minmax(340px, 1fr);
        }
      }
      table {
        border-collapse: collapse;
        font-variant-numeric: tabular-nums;
      }
      .parts,
      .held {
        width: 100%;
      }
      th,
      td {
        text-align: start;
        padding: 6px 10px;
        border-bottom: 1px solid var(--warm-line);
        white-space: nowrap;
      }
      thead th {
        font-size: 12px;
        color: var(--warm-muted);
        font-weight: 600;
      }
      .parts tbody tr:last-child > *,
      .held tbody tr:last-child > * {
        border-bottom: 0;
      }
      .number {
        text-align: end;
      }
      .parts button.link {
        font-size: 14px;
        padding: 2px 6px;
        margin-inline-start: -6px;
      }
      .parts button.link[aria-pressed="true"] {
        background: var(--warm-accent);
        color: var(--warm-on-accent);
      }
      .meter {
        display: inline-block;
        width: 64px;
        height: 8px;
        margin-inline-start: 8px;
        border-radius: 4px;
        background: var(--warm-line);
        overflow: hidden;
      }
      .meter i {
        display: block;
        height: 100%;
        background: var(--warm-accent);
      }
      svg {
        vertical-align: middle;
      }
      polyline {
        fill: none;
        stroke: var(--warm-accent);
        stroke-width: 2;
        stroke-linejoin: round;
      }
      circle {
        fill: var(--warm-accent);
      }
      .moves {
        margin-top: 8px;
      }
      .moves th,
      .moves td {
        padding: 3px 6px;
        border: 1px solid var(--warm-line);
        text-align: center;
        font-size: 12.5px;
      }
      .moves thead th {
        white-space: normal;
        overflow-wrap: normal;
        max-width: 92px;
      }
      .moves tbody th {
        text-align: start;
        font-weight: 600;
      }
      .moves .none {
        color: var(--warm-muted);
      }
      .moves .moved {
        background: color-mix(in srgb, var(--warm-accent) var(--part), var(--warm-surface));
      }
      .moves button {
        border-color: transparent;
        background: none;
        min-width: 44px;
        padding: 1px 6px;
      }
      .moves .moved button,
      .moves .moved span {
        font-weight: 600;
      }
      .moves .stayed button {
        color: var(--warm-muted);
      }
      .moves button[aria-pressed="true"] {
        background: var(--warm-surface);
        color: var(--warm-text);
        border-color: var(--warm-text);
      }
      @media (max-width: 900px) {
        .meter {
          display: none;
        }
      }
      .held {
        margin-bottom: 10px;
      }
    `,
  ];
}
