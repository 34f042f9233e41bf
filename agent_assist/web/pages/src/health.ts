// The data of customers: the score of a month and its trend, what is wrong, and pairs that may be one person.

import { LitElement, css, html, nothing as blank, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem, takeToken } from "./client";
import { type HealthWords, healthWords } from "./health_words";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, form, page, palette, style } from "./style";

interface Share {
  checked: number;
  passed: number;
}

interface Scored extends Share {
  month: string;
  score: number | null;
}

interface Broken {
  rule: string;
  kind: string;
  field: string;
  name: Record<"zh" | "en", string>;
  count: number;
  examples: { customer_id: string; record_id: string }[];
}

interface DataHealth {
  target: number;
  score: number | null;
  report: { month: string; as_of: string; customers: number; total: Share; fields: Record<string, Share>; broken: Broken[]; candidates: number };
  trend: Scored[];
}

interface Known {
  name: string;
  region: string;
  joined_at: string | null;
  identities: [string, string][];
  trade: { orders: number; value: string; currency: string };
  contacts: { at: string; channel: string }[];
}

interface Pair {
  candidate: { first: string; second: string; weight: number; agreements: Record<string, string> };
  first: Known | null;
  second: Known | null;
}

const WIDTH = 480;
const HEIGHT = 96;
const PAGE = 10;

/** Points of the trend, the oldest first, over the width; below `least` nothing is drawn apart. */
export function points(trend: readonly Scored[], least: number): string {
  const known = [...trend].reverse().filter((one) => one.score !== null);
  const step = known.length > 1 ? WIDTH / (known.length - 1) : 0;
  return known.map((one, i) => `${(i * step).toFixed(1)},${height(one.score ?? 0, least).toFixed(1)}`).join(" ");
}

/** Where a score stands, from above. */
export function height(score: number, least: number): number {
  return HEIGHT * (1 - Math.max(0, (score - least) / (1 - least)));
}

/** The worst first. */
export function byScore(fields: Record<string, Share>): [string, Share][] {
  return Object.entries(fields).sort(([a, one], [b, other]) => one.passed / one.checked - other.passed / other.checked || a.localeCompare(b));
}

@customElement("warmline-health")
export class Health extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private found: DataHealth | null = null;
  @state() private months: string[] = [];
  @state() private pairs: Pair[] = [];
  @state() private next: string | null = null;
  @state() private problem = "";
  @state() private told = "";
  @state() private busy = false;
  private gateway: Gateway = { server: "", token: "" };

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    void this.begin();
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${healthWords(this.look.language).title}`;
  }

  private async begin(): Promise<void> {
    await this.show(null);
    this.months = this.found?.trend.map((one) => one.month) ?? [];
    if (this.found) await this.morePairs();
  }

  private show = (month: string | null): Promise<void> =>
    this.tried(async () => {
      this.found = await ask<DataHealth>(this.gateway, `/v1/data-health${month ? `?month=${encodeURIComponent(month)}` : ""}`);
    });

  private morePairs = (): Promise<void> =>
    this.tried(async () => {
      const asked = new URLSearchParams({ limit: String(PAGE), ...(this.next ? { after: this.next } : {}) });
      const answer = await ask<{ pairs: Pair[]; next: string | null }>(this.gateway, `/v1/data-health/duplicates?${asked.toString()}`);
      this.pairs = [...this.pairs, ...answer.pairs];
      this.next = answer.next;
    });

  private async tried(act: () => Promise<void>): Promise<void> {
    this.problem = "";
    this.busy = true;
    try {
      await act();
    } catch (error) {
      const w = this.look.words;
      const missing = isProblem(error) && error.status === 404 && this.found === null;
      this.problem = missing ? healthWords(this.look.language).none : isProblem(error) ? (error.status === 401 ? w.refused : error.detail) : w.noAnswer;
    }
    this.busy = false;
  }

  private async decide(pair: Pair, into: string | null): Promise<void> {
    const h = healthWords(this.look.language);
    const { first, second } = pair.candidate;
    await this.tried(async () => {
      if (into === null) await ask(this.gateway, "/v1/data-health/duplicates/reject", "POST", { first, second });
      else await ask(this.gateway, "/v1/customers/merge", "POST", { customer_id: into === first ? second : first, into });
      this.told = into === null ? h.rejected(first, second) : h.merged(into === first ? second : first, into);
      const at = this.pairs.indexOf(pair);
      this.pairs = this.pairs.filter((one) => one !== pair);
      await this.updateComplete;
      // Who decides with the keyboard stands at the next pair, not at the top of the page.
      const articles = this.renderRoot.querySelectorAll<HTMLElement>("[data-testid=pair]");
      (articles[Math.min(at, articles.length - 1)] ?? this.renderRoot.querySelector<HTMLElement>("#duplicates"))?.focus();
    });
    if (this.pairs.length === 0 && this.next && !this.problem) await this.morePairs();
  }

  override render() {
    const h = healthWords(this.look.language);
    return html`
      <header>
        ${links(this.look.words, "health")}
        <h1 class="visually-hidden">${h.title}</h1>
        <span class="tools">${this.look.buttons()}</span>
      </header>
      <main>
        <div role="status">
          ${this.problem ? html`<p class="notice" data-testid="problem">${this.problem}</p>` : blank}
          ${this.told ? html`<p class="notice" data-testid="told">${this.told}</p>` : blank}
        </div>
        ${this.found ? html`${this.score(this.found, h)} ${this.rules(this.found, h)} ${this.fields(this.found, h)} ${this.duplicates(h)}` : blank}
      </main>
    `;
  }

  private percent(share: number): string {
    return new Intl.NumberFormat(this.look.words.lang, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 2 }).format(share);
  }

  private number(n: number): string {
    return new Intl.NumberFormat(this.look.words.lang).format(n);
  }

  private day(at: string): string {
    return new Intl.DateTimeFormat(this.look.words.lang, { dateStyle: "medium" }).format(new Date(at));
  }

  private score({ score, target, report, trend }: DataHealth, h: HealthWords) {
    const met = score !== null && score >= target;
    return html`<section class="score">
      <div>
        <h2>${h.score}</h2>
        ${score === null
          ? html`<p data-testid="score">${h.nothing}</p>`
          : html`<p><b class="big" data-testid="score">${this.percent(score)}</b>
                <span class=${`badge ${met ? "level-none" : "level-critical"}`} data-testid="target">${h.target(this.percent(target))} · ${met ? h.met : h.missed}</span></p>
              <p class="muted">${h.how(this.number(report.total.passed), this.number(report.total.checked), this.number(report.customers))} ${h.asOf(this.day(report.as_of))}</p>`}
        <label class="month">${h.month}
          <select data-testid="month" @change=${(e: Event) => void this.show((e.target as HTMLSelectElement).value)}>
            ${this.months.map((one) => html`<option value=${one} ?selected=${one === report.month}>${one}</option>`)}
          </select>
        </label>
      </div>
      <figure>
        <figcaption>${h.trend}</figcaption>
        ${this.curve(trend, target)}
        <table data-testid="trend">
          <thead><tr><th scope="col">${h.month}</th><th scope="col">${h.score}</th><th scope="col">${h.checked}</th><th scope="col">${h.wrong}</th></tr></thead>
          <tbody>${trend.map((one) => html`<tr><th scope="row">${one.month}</th><td>${one.score === null ? h.unknown : this.percent(one.score)}</td><td>${this.number(one.checked)}</td><td>${this.number(one.checked - one.passed)}</td></tr>`)}</tbody>
        </table>
      </figure>
    </section>`;
  }

  /** For the eye; the table beside it says the same. */
  private curve(trend: Scored[], target: number) {
    const least = Math.min(target, ...trend.map((one) => one.score ?? 1)) - 0.02;
    const line = height(target, least);
    return html`<svg viewBox=${`-4 -4 ${WIDTH + 8} ${HEIGHT + 8}`} aria-hidden="true">
      ${svg`<line x1="0" x2=${WIDTH} y1=${line} y2=${line} class="target" /><polyline points=${points(trend, least)} class="line" />
        ${points(trend, least).split(" ").filter(Boolean).map((at) => svg`<circle cx=${at.split(",")[0]} cy=${at.split(",")[1]} r="3" />`)}`}
    </svg>`;
  }

  private rules({ report }: DataHealth, h: HealthWords) {
    if (report.broken.length === 0) return html`<section><h2>${h.rules}</h2><p class="muted">${h.allHold}</p></section>`;
    return html`<section>
      <h2>${h.rules}</h2>
      <div class="wide" role="region" tabindex="0" aria-label=${h.rules}>
        <table data-testid="rules">
          <thead><tr><th scope="col">${h.rule}</th><th scope="col">${h.field}</th><th scope="col">${h.wrong}</th><th scope="col">${h.examples}</th></tr></thead>
          <tbody>${report.broken.map((one) => html`<tr><th scope="row">${one.name[this.look.language]}</th><td>${h.kinds[one.kind]} · <code>${one.field}</code></td><td>${this.number(one.count)}</td><td>${one.examples.map((x) => html`<code title=${x.customer_id}>${x.record_id}</code> `)}</td></tr>`)}</tbody>
        </table>
      </div>
    </section>`;
  }

  private fields({ report }: DataHealth, h: HealthWords) {
    return html`<section>
      <h2>${h.fields}</h2>
      <table data-testid="fields">
        <thead><tr><th scope="col">${h.field}</th><th scope="col">${h.score}</th><th scope="col">${h.checked}</th><th scope="col">${h.wrong}</th></tr></thead>
        <tbody>${byScore(report.fields).map(([name, one]) => {
          const [kind = "", field = ""] = name.split(".");
          return html`<tr><th scope="row">${h.kinds[kind] ?? kind} · <code>${field}</code></th><td>${this.percent(one.passed / one.checked)}</td><td>${this.number(one.checked)}</td><td>${this.number(one.checked - one.passed)}</td></tr>`;
        })}</tbody>
      </table>
    </section>`;
  }

  private duplicates(h: HealthWords) {
    return html`<section>
      <h2 id="duplicates" tabindex="-1">${h.duplicates}</h2>
      ${this.pairs.length === 0 ? html`<p class="muted" data-testid="no-pairs">${h.noPairs}</p>` : blank}
      ${repeat(this.pairs, (one) => `${one.candidate.first}\n${one.candidate.second}`, (one) => this.pair(one, h))}
      ${this.next ? html`<button ?disabled=${this.busy} data-testid="more" @click=${() => void this.morePairs()}>${h.more}</button>` : blank}
    </section>`;
  }

  private pair(one: Pair, h: HealthWords) {
    const { first, second, weight, agreements } = one.candidate;
    const line = (label: string, tell: (known: Known) => string) =>
      html`<tr><th scope="row">${label}</th>${[one.first, one.second].map((known) => html`<td>${(known && tell(known)) || h.unknown}</td>`)}</tr>`;
    const of = (kind: string) => (known: Known) => known.identities.filter(([each]) => each === kind).map(([, value]) => value).join(", ");
    return html`<article data-testid="pair" tabindex="-1" aria-label=${h.pair(first, second)}>
      <p class="row">${Object.entries(agreements).map(([field, level]) => html`<span class=${`tag ${level === "different" ? "level-watch" : "level-none"}`}>${h.compared[field] ?? field}: ${h.agreements[level] ?? level}</span>`)} <span class="muted">${h.weight(weight.toFixed(1))}</span></p>
      <div class="wide" role="region" tabindex="0" aria-label=${h.pair(first, second)}>
        <table>
          <thead><tr><td></td><th scope="col">${first}</th><th scope="col">${second}</th></tr></thead>
          <tbody>
            ${line(h.name, (known) => known.name)} ${line(h.phone, of("phone"))} ${line(h.email, of("email"))} ${line(h.region, (known) => known.region)}
            ${line(h.joined, (known) => (known.joined_at ? this.day(known.joined_at) : ""))} ${line(h.orders, (known) => (known.trade.orders ? `${this.number(known.trade.orders)} · ${known.trade.value} ${known.trade.currency}` : ""))}
            ${line(h.contacts, (known) => (known.contacts[0] ? this.day(known.contacts[0].at) : ""))}
          </tbody>
        </table>
      </div>
      <p class="row">
        ${[first, second].map((id) => html`<button ?disabled=${this.busy} data-testid="merge" @click=${() => void this.decide(one, id)}>${h.mergeInto(id)}</button>`)}
        <button ?disabled=${this.busy} data-testid="apart" @click=${() => void this.decide(one, null)}>${h.apart}</button>
      </p>
    </article>`;
  }

  static override styles = [
    palette,
    style,
    page,
    form,
    css`
      main {
        display: grid;
        gap: 18px;
        padding: 16px 20px;
        max-width: 1100px;
        margin: 0 auto;
      }
      h2 {
        font-size: 14px;
        margin-bottom: 6px;
      }
      .score {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr));
        gap: 16px 32px;
      }
      .big {
        font-size: 40px;
        line-height: 1.2;
      }
      .month {
        max-width: 140px;
        margin-top: 10px;
      }
      figure {
        margin: 0;
      }
      svg {
        width: 100%;
        max-height: 110px;
      }
      .line {
        fill: none;
        stroke: var(--warm-accent);
        stroke-width: 2;
      }
      circle {
        fill: var(--warm-accent);
      }
      .target {
        stroke: var(--warm-muted);
        stroke-dasharray: 4 4;
      }
      .wide {
        overflow-x: auto;
      }
      table {
        border-collapse: collapse;
        width: 100%;
        background: var(--warm-surface);
      }
      th,
      td {
        text-align: start;
        padding: 4px 10px;
        border-bottom: 1px solid var(--warm-line);
        font-weight: 400;
        overflow-wrap: anywhere;
        vertical-align: top;
      }
      thead th {
        color: var(--warm-muted);
        font-size: 12.5px;
      }
      article {
        display: grid;
        gap: 8px;
        padding: 10px 12px;
        margin-bottom: 12px;
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 6px;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 8px;
      }
    `,
  ];
}
