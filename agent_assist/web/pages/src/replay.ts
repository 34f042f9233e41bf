// The replay page: a stored call, heard and read again, beside what was shown while it ran.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, callPath, isProblem, takeToken } from "./client";
import "./curve";
import { authority, deskWords } from "./desk_words";
import { flow, flowStyle } from "./flow";
import { LAYERS, type Layer, type Player } from "./player";
import "./player";
import { heardAt } from "./stretches";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, page, palette, style } from "./style";
import "./summary";
import type { CallRecord, Card, Clip, Me, Replayed, Utterance } from "./types";
import { clock } from "./words";

const KEPT_LAYERS = "warmline.layers";

function keptLayers(): Set<Layer> {
  const kept = localStorage.getItem(KEPT_LAYERS);
  return new Set(kept === null ? LAYERS : LAYERS.filter((l) => kept.split(" ").includes(l)));
}

@customElement("warmline-replay")
export class Replay extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private record: CallRecord | null = null;
  @state() private clips: Clip[] = [];
  @state() private me: Me | null = null;
  @state() private problem = "";
  @state() private layers = keptLayers();
  @state() private ms = 0;
  @state() private following = true;
  @state() private selection: [number, number] | null = null;
  @state() private again: Replayed | null = null;
  @state() private running = false;
  @state() private said = "";
  @state() private flowOpen = true;

  @query("warmline-player") private player!: Player | null;
  @query(".transcript") private transcript!: HTMLElement | null;
  @query("dialog") private form!: HTMLDialogElement | null;

  private gateway: Gateway = { server: "", token: "" };
  private wantedMs: number | null = null;
  private keys = (event: KeyboardEvent) => this.key(event);

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    document.addEventListener("keydown", this.keys);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.keys);
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
  }

  private async load(): Promise<void> {
    const asked = new URLSearchParams(location.search);
    const call = asked.get("call") ?? "";
    this.wantedMs = asked.has("at") ? Number(asked.get("at")) : null;
    try {
      this.record = await ask<CallRecord>(this.gateway, callPath(call));
      document.title = `Warmline · ${this.record.customer_name ?? call}`;
      this.me = await ask<Me>(this.gateway, "/v1/me");
      if (this.mayKeep) this.clips = (await ask<{ clips: Clip[] }>(this.gateway, `/v1/clips?call=${encodeURIComponent(call)}`)).clips;
    } catch (error) {
      const w = this.look.words;
      this.problem = isProblem(error) ? ({ 401: w.refused, 403: w.notYours, 404: w.gone }[error.status] ?? error.detail) : w.noAnswer;
    }
  }

  private get mayKeep(): boolean {
    return this.me !== null && ["supervisor", "qa", "admin"].includes(this.me.role);
  }

  private ready(): void {
    if (this.wantedMs !== null) this.player?.seek(this.wantedMs);
  }

  private moved(ms: number): void {
    const before = this.record ? heardAt(this.record.utterances, this.ms) : -1;
    this.ms = ms;
    const now = this.record ? heardAt(this.record.utterances, ms) : -1;
    if (now !== before && this.following) {
      const box = this.transcript;
      const line = box?.querySelectorAll<HTMLElement>("[data-at]")[now];
      if (box && line) box.scrollTop = line.offsetTop - box.offsetTop - box.clientHeight / 2 + line.clientHeight / 2;
    }
  }

  private seek(ms: number): void {
    this.player?.seek(ms);
    this.ms = ms;
  }

  private key(event: KeyboardEvent): void {
    const at = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement || this.record === null) return;
    const said = this.record.utterances;
    const here = heardAt(said, this.ms);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.seek(Math.max(0, this.ms - 5_000)),
      ArrowRight: () => this.seek(this.ms + 5_000),
      j: () => this.seek(said[Math.min(here + 1, said.length - 1)]?.start_ms ?? 0),
      k: () => this.seek(said[Math.max(here - 1, 0)]?.start_ms ?? 0),
      i: () => this.select(this.ms, null),
      o: () => this.select(null, this.ms),
      c: () => this.mayKeep && this.form?.showModal(),
    };
    if (event.key === " " && !(at instanceof HTMLButtonElement)) keys[" "] = () => this.player?.toggle();
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  private select(from: number | null, to: number | null): void {
    const [start, end] = this.selection ?? [0, this.record?.duration_ms ?? 0];
    const wanted: [number, number] = [from ?? start, to ?? end];
    this.selection = wanted[0] < wanted[1] ? wanted : from === null ? [0, wanted[1]] : [wanted[0], this.record?.duration_ms ?? wanted[0] + 1];
  }

  private toggleLayer(layer: Layer): void {
    const next = new Set(this.layers);
    if (!next.delete(layer)) next.add(layer);
    this.layers = next;
    localStorage.setItem(KEPT_LAYERS, [...next].join(" "));
  }

  private async runAgain(): Promise<void> {
    if (this.record === null) return;
    this.running = true;
    this.said = "";
    try {
      this.again = await ask<Replayed>(this.gateway, `${callPath(this.record.call_id)}/replay`);
    } catch (error) {
      this.said = isProblem(error) ? error.detail : this.look.words.noAnswer;
    }
    this.running = false;
  }

  private async keep(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.record === null) return;
    const given = new FormData(event.target as HTMLFormElement);
    const [start_ms, end_ms] = this.selection ?? [0, this.record.duration_ms];
    const tags = String(given.get("tags") ?? "").split(/[,,\s]+/).filter(Boolean);
    try {
      const clip = await ask<Clip>(this.gateway, "/v1/clips", "POST", { call_id: this.record.call_id, start_ms, end_ms, title: given.get("title"), note: given.get("note"), tags });
      this.clips = [clip, ...this.clips];
      this.said = this.look.words.kept;
      (event.target as HTMLFormElement).reset();
      this.form?.close();
    } catch (error) {
      this.said = isProblem(error) ? error.detail : this.look.words.noAnswer;
    }
  }

  override render() {
    const w = this.look.words;
    const record = this.record;
    return html`
      <header>
        ${links(w, "replay")}
        <h1>${record?.customer_id ? html`<a href=${`/customer?${new URLSearchParams({ id: record.customer_id }).toString()}`} data-testid="customer-link">${record.customer_name ?? record.customer_id}</a>` : record ? (record.customer_name ?? w.unknownCustomer) : w.replay}</h1>
        ${record?.started_at ? html`<span class="muted">${new Intl.DateTimeFormat(w.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(record.started_at))}${record.agent_id ? ` · ${record.agent_id}` : ""} · ${clock(record.duration_ms)}</span>` : blank}
        <span class="tools">
          ${this.look.buttons()}
        </span>
      </header>
      <div role="status">${this.said ? html`<p class="notice">${this.said}</p>` : blank}</div>
      ${this.problem ? html`<main class="empty"><p data-testid="problem">${this.problem}</p></main>` : record === null ? html`<main class="empty"><p class="muted">${w.connecting}</p></main>` : this.page(record)}
    `;
  }

  private page(record: CallRecord) {
    const w = this.look.words;
    const d = deskWords(w.lang);
    return html`<main>
      <section class="sound" aria-label=${w.recording}>
        <warmline-player
          .record=${record}
          .gateway=${this.gateway}
          .words=${w}
          .layers=${this.layers}
          .selection=${this.selection}
          theme=${this.theme}
          @moved=${(e: CustomEvent<number>) => this.moved(e.detail)}
          @ready=${() => this.ready()}
        ></warmline-player>
        <div class="layers" role="group" aria-label=${w.layersTitle}>
          ${LAYERS.map((layer) => html`<button aria-pressed=${this.layers.has(layer)} data-testid=${`layer-${layer}`} @click=${() => this.toggleLayer(layer)}>${w.layers[layer]}</button>`)}
          ${this.mayKeep ? html`<button class="end" data-testid="clip" @click=${() => this.form?.showModal()}>${w.keepClip}${this.selection ? ` ${clock(this.selection[0])}–${clock(this.selection[1])}` : ""}</button>` : blank}
        </div>
        ${record.curve.some((p) => p.score !== null) ? html`<warmline-curve .points=${record.curve} .turns=${record.turns} .words=${w} .duration=${record.duration_ms} theme=${this.theme}></warmline-curve>` : html`<p class="muted">${w.noCurve}</p>`}
      </section>
      <div class="columns">
        <section class="words">
          <h2>${w.transcript} <button aria-pressed=${this.following} @click=${() => (this.following = !this.following)}>${w.autoScroll}</button></h2>
          <ol class="transcript" tabindex="0" aria-label=${w.transcript}>
            ${record.utterances.length === 0 ? html`<li class="muted">${w.noWords}</li>` : blank}
            ${repeat(record.utterances, (u) => u.id, (u, index) => this.line(u, index === heardAt(record.utterances, this.ms)))}
          </ol>
        </section>
        <section class="shown">
          <warmline-summary .gateway=${this.gateway} .record=${record} .me=${this.me} words=${w.lang}></warmline-summary>
          ${record.flow ? flow(record.flow, d, this.flowOpen, (open) => (this.flowOpen = open)) : blank}
          ${(record.compensations ?? []).map((c) => html`<p data-testid="compensated">${d.compensation}: <b>${c.amount} ${c.currency}</b> ${d.compensationStates[c.state] ?? c.state} <small class="muted">${c.reason} · ${authority(c, d.lang)}</small></p>`)}
          <h2>${w.shownThen} <button data-testid="run-again" ?disabled=${this.running} @click=${() => void this.runAgain()}>${this.running ? w.runningAgain : w.runAgain}</button></h2>
          ${this.again ? this.compared(this.again) : blank}
          ${record.cards.length === 0 ? html`<p class="muted">${w.noCards}</p>` : blank}
          <ol class="cards">
            ${repeat([...record.cards].sort((a, b) => a.at_ms - b.at_ms), (c) => c.id, (c) => this.card(record, c))}
          </ol>
          ${record.articles?.length
            ? html`<h2>${d.knowledge}</h2><ul class="clips">${record.articles.map((a) => html`<li data-testid=${`article-${a.key}`}><button @click=${() => this.seek(a.at_ms)}>${clock(a.at_ms)}</button> <a href=${`/knowledge?${new URLSearchParams({ kind: a.kind, key: a.key }).toString()}`}>${a.title}</a> <small class="muted">${d.version(a.version)} · ${d.reasons[a.reason] ?? a.reason}</small></li>`)}</ul>`
            : blank}
          ${this.clips.length ? html`<h2>${w.clips}</h2><ul class="clips">${this.clips.map((c) => html`<li><button @click=${() => this.seek(c.start_ms)}>${clock(c.start_ms)}–${clock(c.end_ms)}</button> ${c.title} ${c.tags.map((t) => html`<span class="tag">${t}</span>`)}</li>`)}</ul>` : blank}
        </section>
      </div>
      <p class="muted keys">${w.replayKeys}</p>
      <dialog aria-labelledby="clip-title">
        <form @submit=${(e: SubmitEvent) => void this.keep(e)}>
          <h2 id="clip-title">${w.keepClip} ${clock((this.selection ?? [0, record.duration_ms])[0])}–${clock((this.selection ?? [0, record.duration_ms])[1])}</h2>
          <label>${w.clipName} <input name="title" required maxlength="200" /></label>
          <label>${w.clipNote} <textarea name="note" maxlength="4000" rows="3"></textarea></label>
          <label>${w.clipTags} <input name="tags" maxlength="300" /></label>
          <div class="tools"><button type="button" @click=${() => this.form?.close()}>${w.cancel}</button><button class="main" type="submit">${w.keep}</button></div>
        </form>
      </dialog>
    </main>`;
  }

  private line(u: Utterance, now: boolean) {
    const label = u.emotion?.label;
    const w = this.look.words;
    return html`<li class=${`said ${u.channel} ${now ? "now" : ""}`} data-at=${u.start_ms} aria-current=${now ? "true" : "false"}>
      <button data-testid="seek" title=${w.hearFrom} @click=${() => this.seek(u.start_ms)}>${clock(u.start_ms)}</button>
      <span class="muted">${w.who[u.channel]}</span>
      ${label && label !== "unknown" && label !== "neutral" ? html`<span class=${`emotion-${label}`}>${w.labels[label]}</span>` : blank}
      <span class="text" lang=${u.language === "zh" ? "zh-CN" : u.language}>${u.text}</span>
    </li>`;
  }

  private card(record: CallRecord, c: Card) {
    const w = this.look.words;
    const given = record.feedback.filter((f) => f.card_id === c.id).map((f) => w.actions[f.action]);
    const seen = record.acknowledged.find((a) => a.card_id === c.id);
    return html`<li class=${`card ${c.kind} ${Math.abs(c.at_ms - this.ms) < 4_000 ? "now" : ""}`} data-testid=${`shown-${c.rule}`}>
      <button @click=${() => this.seek(c.at_ms)}>${clock(c.at_ms)}</button>
      <b>${c.kind === "tick" ? "☑ " : c.kind === "alert" ? "▲ " : ""}${c.title}</b>
      ${c.kind === "tick" ? blank : html`<p>${c.text}</p>`}
      <p class="muted">${c.reason} ${(c.trigger ?? []).filter((t) => !c.reason.includes(t)).map((t) => html`<mark>${t}</mark> `)}${given.length ? ` · ${given.join(", ")}` : ""}${seen ? ` · ${w.acknowledgedBy(seen.by)}` : ""}</p>
    </li>`;
  }

  private compared(found: Replayed) {
    const w = this.look.words;
    const differing = found.changed.length + found.missing.length + found.added.length + found.failed.length;
    const list = (title: string, cards: Card[]) => (cards.length ? html`<p><b>${title}</b> ${cards.map((c) => html`<button @click=${() => this.seek(c.at_ms)}>${clock(c.at_ms)} ${c.title}</button> `)}</p>` : blank);
    return html`<div class="compared" data-testid="compared" data-differing=${differing}>
      <p>${differing === 0 ? w.sameAsThen(found.same.length) : w.otherThanThen(found.same.length, differing)}</p>
      ${list(w.addedNow, found.added)} ${list(w.missingNow, found.missing)} ${list(w.changedNow, found.changed.map(([, now]) => now))} ${found.failed.map((reason) => html`<p class="bad">${reason}</p>`)}
    </div>`;
  }

  static override styles = [
    palette,
    style,
    page,
    flowStyle,
    css`
      main {
        display: grid;
        gap: 14px;
        padding: 14px 20px;
        max-width: 1400px;
        margin: 0 auto;
      }
      .empty {
        padding: 20vh 20px;
        text-align: center;
      }
      .layers {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin: 8px 0;
      }
      .shown > * + * {
        margin-top: 8px;
      }
      .end {
        margin-inline-start: auto;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 20px;
      }
      .words {
        position: sticky;
        top: 8px;
        align-self: start;
        max-height: calc(100vh - 16px);
        display: flex;
        flex-direction: column;
      }
      @media (max-width: 860px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        .words {
          position: static;
          max-height: 56vh;
        }
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 8px;
        font-size: 13px;
        color: var(--warm-muted);
        margin-bottom: 6px;
      }
      ol,
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .transcript {
        min-height: 0;
        overflow-y: auto;
      }
      .said {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 8px;
        align-items: baseline;
        padding: 4px 8px;
        border-inline-start: 3px solid transparent;
      }
      .said.now,
      .card.now {
        border-inline-start-color: var(--warm-accent);
        background: var(--warm-surface);
      }
      .said .text {
        flex: 1 1 100%;
      }
      .said.agent .text {
        color: var(--warm-muted);
      }
      .card {
        padding: 6px 8px;
        border-inline-start: 3px solid transparent;
        border-bottom: 1px solid var(--warm-line);
      }
      .card.alert b,
      .bad {
        color: var(--warm-bad);
      }
      mark {
        background: var(--warm-highlight);
        color: var(--warm-text);
        border-radius: 3px;
        padding: 0 3px;
      }
      .compared {
        border: 1px solid var(--warm-line);
        border-radius: 8px;
        padding: 8px 10px;
        margin-bottom: 8px;
        background: var(--warm-surface);
      }
      .clips li {
        padding: 3px 0;
      }
      .keys {
        font-size: 12.5px;
      }
      dialog {
        border: 1px solid var(--warm-line);
        border-radius: 10px;
        background: var(--warm-background);
        color: var(--warm-text);
        width: min(480px, 92vw);
      }
      dialog form {
        display: grid;
        gap: 10px;
      }
      dialog label {
        display: grid;
        gap: 3px;
      }
      textarea,
      dialog input {
        font: inherit;
        color: inherit;
        padding: 5px 8px;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        background: var(--warm-surface);
      }
    `,
  ];
}
