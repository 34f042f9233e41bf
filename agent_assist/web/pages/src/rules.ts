// The rules in force, for supervisors: conditions in words, examples, use, and what they make of a sentence or of stored calls.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem, takeToken } from "./client";
import { type Rule, condition } from "./conditions";
import { Look } from "./look";
import { links } from "./links";
import { rulesWords } from "./rules_words";
import { type Theme, chosenTheme, form, page, palette, style } from "./style";
import type { Card } from "./types";
import { clock } from "./words";

interface ShownRule {
  rule: Rule;
  examples: { said: string[]; language: "zh" | "en"; fires: boolean; holds: boolean }[];
  findings: { kind: string; message: string }[];
  use: { fired: number; calls: number; feedback: Record<string, number> };
}

interface Playbook {
  tenant: string;
  state: "in_force" | "broken";
  failed: string;
  since: string | null;
  name: string;
  version: string;
  digest: string;
  rules: ShownRule[];
}

interface Trial {
  fired: { rule: string; card: Card | null }[];
  nearly: { rule: string; unmet: string[] }[];
}

interface Backtest {
  calls: number;
  rules: { rule: string; fired: number; calls: number; shown: number; same: number; examples: { call_id: string; at_ms: number; words: string }[] }[];
  withheld: Record<string, number>;
  failed: Record<string, number>;
}

const SHOWN_PARTS = 12;

@customElement("warmline-rules")
export class Rules extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private playbooks: Playbook[] | null = null;
  @state() private tenant = "default";
  @state() private days = 7;
  @state() private problem = "";
  @state() private trial: Trial | null = null;
  @state() private tests = new Map<string, Backtest | "running">();
  private gateway: Gateway = { server: "", token: "" };

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    void this.load();
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${this.w.title}`;
  }

  private get w() {
    return rulesWords(this.look.language);
  }

  private async tried(act: () => Promise<void>): Promise<void> {
    this.problem = "";
    try {
      await act();
    } catch (error) {
      const w = this.look.words;
      this.problem = isProblem(error) ? ({ 401: w.refused, 403: this.w.mayNot }[error.status] ?? error.detail) : w.noAnswer;
    }
  }

  private load = () =>
    this.tried(async () => {
      this.playbooks = (await ask<{ playbooks: Playbook[] }>(this.gateway, `/v1/playbooks?days=${this.days}`)).playbooks;
      if (!this.playbooks.some((p) => p.tenant === this.tenant)) this.tenant = this.playbooks[0]?.tenant ?? "default";
    });

  private async trySentence(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const body = { tenant: this.tenant, speaker: given.get("speaker"), language: given.get("language"), text: given.get("text") };
    await this.tried(async () => {
      this.trial = await ask<Trial>(this.gateway, "/v1/playbooks/try", "POST", body);
    });
  }

  private async backtest(rule: string): Promise<void> {
    const key = `${this.tenant} ${rule}`;
    this.tests = new Map(this.tests).set(key, "running");
    let found: Backtest | null = null;
    await this.tried(async () => {
      found = await ask<Backtest>(this.gateway, "/v1/playbooks/backtest", "POST", { tenant: this.tenant, rule, days: this.days, calls: 200 });
    });
    const tests = new Map(this.tests);
    if (found === null) tests.delete(key);
    else tests.set(key, found);
    this.tests = tests;
  }

  private pick(tenant: string): void {
    this.tenant = tenant;
    this.trial = null;
  }

  override render() {
    const w = this.w;
    const playbook = this.playbooks?.find((p) => p.tenant === this.tenant);
    return html`
      <header>
        ${links(this.look.words, "rules")}
        <h1 class="visually-hidden">${w.title}</h1>
        <span class="tools">${this.look.buttons()}</span>
      </header>
      <div role="status">${this.problem ? html`<p class="notice" data-testid="problem">${this.problem}</p>` : blank}</div>
      <main>
        ${this.playbooks === null ? (this.problem ? blank : html`<p class="muted">${w.loading}</p>`) : blank}
        ${playbook ? html`${this.top(playbook)} ${playbook.rules.length ? html`${this.trying()} ${this.list(playbook)}` : blank}` : blank}
      </main>
    `;
  }

  private top(playbook: Playbook) {
    const w = this.w;
    const time = (at: string) => new Intl.DateTimeFormat(this.look.words.lang, { dateStyle: "short", timeStyle: "short" }).format(new Date(at));
    return html`<section class="top" aria-label=${w.tenant}>
      ${(this.playbooks ?? []).length > 1
        ? html`<div class="tenants" role="group" aria-label=${w.tenant}>
            ${(this.playbooks ?? []).map((p) => html`<button aria-pressed=${p.tenant === this.tenant} data-testid=${`tenant-${p.tenant}`} @click=${() => this.pick(p.tenant)}>${p.tenant}${p.state === "broken" ? " ⚠" : ""}</button>`)}
          </div>`
        : blank}
      <p class="facts">
        ${playbook.name ? html`<b>${playbook.name}</b> <span>${w.version(playbook.version)} <code>${playbook.digest}</code></span> <span>${w.rules(playbook.rules.length)}</span>` : html`<b>${playbook.tenant}</b>`}
        ${playbook.since ? html`<span class="muted">${w.since(time(playbook.since))}</span>` : blank}
        <span class=${`badge ${playbook.state === "broken" ? "level-critical" : "level-none"}`} data-testid="playbook-state" data-state=${playbook.state}>${playbook.state === "in_force" ? w.inForce : playbook.name ? w.broken : w.none}</span>
        <label class="days">${w.counted}
          <select data-testid="days" @change=${(e: Event) => { this.days = Number((e.target as HTMLSelectElement).value); void this.load(); }}>
            ${[1, 7, 30, 90].map((n) => html`<option value=${n} ?selected=${n === this.days}>${w.days(n)}</option>`)}
          </select></label>
      </p>
      ${playbook.failed ? html`<p class="failed" role="alert" data-testid="failed">${playbook.failed}</p>` : blank}
    </section>`;
  }

  private trying() {
    const w = this.w;
    return html`<section class="try" aria-labelledby="try-title">
      <h2 id="try-title">${w.tryTitle}</h2>
      <form @submit=${(e: SubmitEvent) => void this.trySentence(e)}>
        <label>${w.speaker} <select name="speaker"><option value="customer">${w.who.customer}</option><option value="agent">${w.who.agent}</option></select></label>
        <label>${w.language} <select name="language"><option value="zh" ?selected=${this.look.language === "zh"}>${w.languages.zh}</option><option value="en" ?selected=${this.look.language === "en"}>${w.languages.en}</option></select></label>
        <label class="sentence">${w.sentence} <input name="text" required maxlength="1000" placeholder=${w.sentenceExample} data-testid="sentence" /></label>
        <button class="main" type="submit" data-testid="try">${w.tryIt}</button>
      </form>
      <p class="muted hint">${w.tryHint}</p>
      <div aria-live="polite" data-testid="trial">${this.trial ? this.outcome(this.trial) : blank}</div>
    </section>`;
  }

  private outcome(trial: Trial) {
    const w = this.w;
    if (trial.fired.length + trial.nearly.length === 0) return html`<p data-testid="nothing">${w.nothing}</p>`;
    return html`<ul class="plain">
      ${trial.fired.map((f) => html`<li data-testid=${`fires-${f.rule}`}><span class="badge level-none">${w.firesNow}</span> <a href=${`#${f.rule}`} @click=${(e: Event) => this.open(e, f.rule)}>${f.rule}</a>
        ${f.card ? html`<b>${f.card.title}</b> ${f.card.text} ${f.card.trigger?.length ? html`<span class="muted">${w.heard} ${f.card.trigger.map((t) => html`<mark>${t}</mark> `)}</span>` : blank}` : blank}</li>`)}
      ${trial.nearly.map((n) => html`<li data-testid=${`nearly-${n.rule}`}><span class="badge level-watch">${w.nearly}</span> <a href=${`#${n.rule}`} @click=${(e: Event) => this.open(e, n.rule)}>${n.rule}</a> <span class="muted">${n.unmet.map((u) => w.unmet[u] ?? u).join(" · ")}</span></li>`)}
    </ul>`;
  }

  private open(event: Event, rule: string): void {
    event.preventDefault();
    const place = this.renderRoot.querySelector<HTMLDetailsElement>(`[id="${CSS.escape(rule)}"]`);
    if (place === null) return;
    place.open = true;
    place.querySelector("summary")?.focus();
    place.scrollIntoView({ block: "start" });
  }

  private list(playbook: Playbook) {
    const w = this.w;
    return html`<section class="rules" aria-label=${w.title}>
      <p class="row head" aria-hidden="true"><span>${w.rule}</span><span>${w.kind}</span><span class="n">${w.priority}</span><span class="n">${w.fired}</span><span class="n">${w.used}</span><span class="n">${w.dismissed}</span><span class="n">${w.opinion}</span><span class="n">${w.examples}</span></p>
      ${repeat(playbook.rules, (r) => `${playbook.tenant} ${r.rule.id}`, (r) => this.rule(r))}
    </section>`;
  }

  private rule(shown: ShownRule) {
    const w = this.w;
    const { rule, use, examples, findings } = shown;
    const language = this.look.language;
    const title = (texts: Record<string, string>) => texts[language] ?? Object.values(texts)[0] ?? "";
    const holding = examples.filter((e) => e.holds).length;
    const count = (name: string, value: string | number) => html`<span class="n"><span class="visually-hidden">${name}</span> ${value}</span>`;
    return html`<details id=${rule.id} data-testid=${`rule-${rule.id}`}>
      <summary class="row">
        <span><b>${title(rule.title) || rule.name || rule.id}</b> <small class="muted">${rule.id}</small></span>
        <span><span class=${`kind ${rule.kind}`}>${w.kinds[rule.kind] ?? rule.kind}</span></span>
        ${count(w.priority, rule.priority)} ${count(w.fired, use.fired)} ${count(w.used, use.feedback["used"] ?? 0)} ${count(w.dismissed, use.feedback["dismissed"] ?? 0)}
        ${count(w.opinion, `${use.feedback["up"] ?? 0} / ${use.feedback["down"] ?? 0}`)}
        <span class=${`n ${holding < examples.length ? "emotion-angry" : ""}`}><span class="visually-hidden">${w.examples}</span> ${examples.length ? `${holding} / ${examples.length}` : "–"}${holding < examples.length ? " ⚠" : ""}</span>
      </summary>
      <div class="inside">
        <h3>${w.when}</h3>
        <dl>${condition(rule, language).map((line) => html`<dt>${line.label}</dt><dd>${this.parts(line.parts)}</dd>`)}</dl>
        ${title(rule.title) ? html`<h3>${w.shows}</h3><p><b>${title(rule.title)}</b><br />${title(rule.text)}</p>` : blank}
        <h3>${w.examplesOf}</h3>
        ${examples.length === 0 ? html`<p class="muted">${w.noExamples}</p>` : blank}
        <ul class="plain">
          ${examples.map((e) => html`<li data-testid="example" data-holds=${e.holds}><span class=${e.holds ? "level-none" : "level-critical"} role="img" aria-label=${e.holds ? w.holds : w.fails}>${e.holds ? "✓" : "✗"}</span> <span class="muted">${e.fires ? w.firesOn : w.silentOn}</span> <span lang=${e.language === "zh" ? "zh-CN" : "en"}>${e.said.join(" / ")}</span>${e.holds ? blank : html` <b class="level-critical">${w.fails}</b>`}</li>`)}
        </ul>
        ${findings.length ? html`<h3>${w.findings}</h3><ul class="plain">${findings.map((f) => html`<li>${f.message}</li>`)}</ul>` : blank}
        ${this.calls(rule)}
      </div>
    </details>`;
  }

  private parts(parts: string[]) {
    const more = parts.length - SHOWN_PARTS;
    const part = (p: string) => html`<span class="part">${p}</span> `;
    if (more <= 2) return parts.map(part);
    return html`${parts.slice(0, SHOWN_PARTS).map(part)}<details class="more"><summary>${this.w.more(more)}</summary>${parts.slice(SHOWN_PARTS).map(part)}</details>`;
  }

  private calls(rule: Rule) {
    const w = this.w;
    const test = this.tests.get(`${this.tenant} ${rule.id}`);
    const run = test === undefined || test === "running" ? undefined : test.rules.find((r) => r.rule === rule.id);
    return html`<h3>${w.backtest} <button data-testid=${`backtest-${rule.id}`} ?disabled=${test === "running"} @click=${() => void this.backtest(rule.id)}>${test === "running" ? w.backtesting : `${w.days(this.days)}, ${w.atMost} ${w.callsUnit(200)}`}</button></h3>
      <div aria-live="polite">
        ${test === undefined || test === "running"
          ? blank
          : html`<p data-testid="backtested">${test.calls === 0 ? w.noCalls : html`${w.result(test.calls, run?.fired ?? 0, run?.calls ?? 0)} ${run ? w.shownThen(run.shown, run.same) : ""}`}${Object.entries(test.withheld).filter(([, n]) => n > 0).map(([why, n]) => ` ${n} ${w.withheld}: ${why}.`)}${Object.entries(test.failed).map(([why, n]) => ` ${w.failedTimes(n)}: ${why}.`)}</p>
              <ul class="plain">${(run?.examples ?? []).map((e) => html`<li><a href=${`/replay?call=${encodeURIComponent(e.call_id)}&at=${e.at_ms}`}>${clock(e.at_ms)}</a> <span>${e.words || e.call_id}</span></li>`)}</ul>`}
      </div>`;
  }

  static override styles = [
    palette,
    style,
    page,
    form,
    css`
      main {
        display: grid;
        gap: 14px;
        padding: 16px 20px;
        max-width: 1100px;
        margin: 0 auto;
      }
      section {
        min-width: 0;
      }
      .tenants {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-bottom: 10px;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 14px;
      }
      .days {
        display: flex;
        align-items: center;
        gap: 6px;
        margin-inline-start: auto;
      }
      .days select {
        width: auto;
      }
      .failed {
        margin-top: 8px;
        padding: 10px 12px;
        background: var(--warm-bad-surface);
        color: var(--warm-bad);
        border-inline-start: 5px solid var(--warm-bad);
        overflow-wrap: anywhere;
      }
      .try,
      .rules {
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 8px;
        padding: 12px 14px;
      }
      .try form {
        display: flex;
        flex-wrap: wrap;
        gap: 10px;
        align-items: end;
      }
      .sentence {
        flex: 1 1 280px;
      }
      .hint {
        font-size: 12.5px;
        margin: 6px 0;
      }
      h2 {
        font-size: 14px;
        margin-bottom: 8px;
      }
      h3 {
        font-size: 12.5px;
        color: var(--warm-muted);
        margin: 12px 0 4px;
      }
      .row {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 80px repeat(5, 72px) 96px;
        gap: 8px;
        align-items: center;
        padding: 8px 4px;
      }
      .head {
        color: var(--warm-muted);
        font-size: 12px;
      }
      .n {
        text-align: end;
        font-variant-numeric: tabular-nums;
        position: relative;
      }
      .rules > details {
        border-top: 1px solid var(--warm-line);
      }
      summary {
        cursor: pointer;
        list-style: none;
      }
      summary:hover b {
        color: var(--warm-accent);
      }
      .kind {
        border: 1px solid var(--warm-line);
        border-radius: 999px;
        padding: 0 8px;
        font-size: 12px;
      }
      .kind.alert {
        color: var(--warm-bad);
        border-color: currentColor;
      }
      .inside {
        padding: 0 4px 14px;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(90px, max-content) minmax(0, 1fr);
        gap: 4px 12px;
        margin: 0;
      }
      dt {
        color: var(--warm-muted);
      }
      dd {
        margin: 0;
      }
      .part {
        display: inline-block;
        background: var(--warm-agent);
        border-radius: 4px;
        padding: 0 6px;
        margin: 0 2px 3px 0;
        overflow-wrap: anywhere;
      }
      .more summary {
        color: var(--warm-accent);
        font-weight: 600;
      }
      .plain {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        gap: 5px;
      }
      @media (max-width: 760px) {
        .head {
          display: none;
        }
        .row {
          display: flex;
          flex-wrap: wrap;
          gap: 2px 12px;
        }
        .row > :first-child {
          flex: 1 1 100%;
        }
        .badge {
          white-space: normal;
        }
        .n {
          font-size: 12.5px;
        }
        .n .visually-hidden {
          position: static;
          clip-path: none;
          color: var(--warm-muted);
        }
        dl {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];
}
