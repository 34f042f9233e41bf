// A recording: two lanes, the customer's above the agent's; height is loudness, colour the mood.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import WaveSurfer from "wavesurfer.js";
import Regions from "wavesurfer.js/dist/plugins/regions.esm.js";
import { type Gateway, ask, callPath, isProblem } from "./client";
import { overlaps, silences } from "./stretches";
import type { CallRecord, Label, Peaks } from "./types";
import { type Words, clock } from "./words";

export type Layer = "mood" | "silence" | "overlap" | "cards" | "turns";
export const LAYERS: Layer[] = ["mood", "silence", "overlap", "cards", "turns"];
const LANE = 56;
const COLOURS: Record<Label, string> = {
  neutral: "--warm-muted",
  satisfied: "--warm-good",
  angry: "--warm-bad",
  anxious: "--warm-watch",
  disappointed: "--warm-watch",
  unknown: "--warm-line",
};

@customElement("warmline-player")
export class Player extends LitElement {
  static override styles = css`
    :host {
      display: block;
    }
    .lanes {
      position: relative;
      border: 1px solid var(--warm-line);
      border-radius: 8px;
      overflow: hidden;
      background: var(--warm-surface);
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      gap: 6px 10px;
      align-items: center;
      margin-top: 8px;
    }
    button,
    select {
      font: inherit;
      color: inherit;
      border: 1px solid var(--warm-line);
      border-radius: 6px;
      background: var(--warm-surface);
      padding: 3px 10px;
      min-height: 28px;
      cursor: pointer;
    }
    :focus-visible {
      outline: 2px solid var(--warm-accent);
      outline-offset: 2px;
    }
    time {
      font-variant-numeric: tabular-nums;
    }
    label {
      display: inline-flex;
      align-items: center;
      gap: 6px;
    }
    .who {
      position: absolute;
      left: 8px;
      z-index: 3;
      font-size: 11px;
      color: var(--warm-muted);
      background: var(--warm-surface);
      border-radius: 4px;
      padding: 0 3px;
      pointer-events: none;
    }
    p {
      margin: 0;
      padding: 18px 12px;
      color: var(--warm-muted);
    }
  `;

  @property({ attribute: false }) record!: CallRecord;
  @property({ attribute: false }) gateway!: Gateway;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) layers = new Set<Layer>(LAYERS);
  /** What is selected for a clip, in ms. */
  @property({ attribute: false }) selection: [number, number] | null = null;
  @property() theme = "light";

  @state() private problem = "";
  @state() private loading = true;
  @state() private playing = false;
  @state() private at = 0;
  @state() private rate = 1;
  @state() private zoom = 0;

  private surfer: WaveSurfer | null = null;
  private regions: Regions | null = null;
  private shown = "";

  get ms(): number {
    return Math.round(this.at * 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.surfer?.destroy();
    this.surfer = null;
  }

  override updated(changed: Map<string, unknown>): void {
    if (this.record && this.record.call_id !== this.shown) {
      this.shown = this.record.call_id;
      void this.load();
    } else if (changed.has("theme") || changed.has("layers") || changed.has("selection") || changed.has("record")) {
      this.paint();
    }
  }

  seek(ms: number): void {
    this.surfer?.setTime(Math.max(0, Math.min(ms, this.record.duration_ms)) / 1000);
  }

  toggle(): void {
    void this.surfer?.playPause();
  }

  private colour(name: string): string {
    return getComputedStyle(this).getPropertyValue(name).trim();
  }

  private async load(): Promise<void> {
    this.surfer?.destroy();
    this.surfer = null;
    this.problem = "";
    this.loading = true;
    try {
      const base = callPath(this.record.call_id);
      const [peaks, link] = await Promise.all([ask<Peaks>(this.gateway, `${base}/peaks`), ask<{ url: string }>(this.gateway, `${base}/recording-link`)]);
      this.draw(peaks, this.gateway.server + link.url);
    } catch (error) {
      const status = isProblem(error) ? error.status : 0;
      this.problem = status === 409 ? this.words.soundLater : status === 404 ? this.words.noSound : this.words.soundFailed;
      this.dispatchEvent(new CustomEvent("silent"));
    }
    this.loading = false;
  }

  private draw(peaks: Peaks, url: string): void {
    const lanes = this.renderRoot.querySelector<HTMLElement>(".lanes");
    if (lanes === null) return;
    const lane = (colour: string) => ({ waveColor: this.colour(colour), progressColor: this.colour(colour), height: LANE });
    // Loudness is heard on a scale of its own: the square root keeps a quiet speaker visible.
    const levels = (lane: number[]) => lane.map((level) => Math.sqrt(level / 127));
    const regions = Regions.create();
    const surfer = WaveSurfer.create({
      container: lanes,
      url,
      peaks: [levels(peaks.customer), levels(peaks.agent)],
      duration: peaks.duration_ms / 1000,
      splitChannels: [lane("--warm-accent"), lane("--warm-muted")],
      cursorColor: this.colour("--warm-text"),
      cursorWidth: 2,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      dragToSeek: true,
      plugins: [regions],
    });
    surfer.on("timeupdate", (seconds) => {
      this.at = seconds;
      this.dispatchEvent(new CustomEvent<number>("moved", { detail: Math.round(seconds * 1000) }));
    });
    surfer.on("play", () => (this.playing = true));
    surfer.on("pause", () => (this.playing = false));
    surfer.on("ready", () => this.dispatchEvent(new CustomEvent("ready")));
    surfer.on("error", () => (this.problem = this.words.soundFailed));
    this.surfer = surfer;
    this.regions = regions;
    this.paint();
  }

  /** Lay what is known over the lanes. */
  private paint(): void {
    const { surfer, regions, record, layers } = this;
    if (surfer === null || regions === null) return;
    surfer.setOptions({
      cursorColor: this.colour("--warm-text"),
      splitChannels: [
        { waveColor: this.colour("--warm-accent"), progressColor: this.colour("--warm-accent"), height: LANE },
        { waveColor: this.colour("--warm-muted"), progressColor: this.colour("--warm-muted"), height: LANE },
      ],
    });
    regions.clearRegions();
    const fixed = { drag: false, resize: false };
    const veil = (name: string, percent: number) => `color-mix(in srgb, ${this.colour(name)} ${percent}%, transparent)`;
    const add = (start: number, end: number, color: string, more: object = {}) => regions.addRegion({ ...fixed, start: start / 1000, end: end / 1000, color, ...more });
    if (layers.has("mood")) {
      for (const u of record.utterances) {
        if (u.channel === "customer" && u.emotion && u.emotion.label !== "unknown") add(u.start_ms, u.end_ms, veil(COLOURS[u.emotion.label], u.emotion.label === "neutral" ? 15 : 45), { channelIdx: 0 });
      }
    }
    if (layers.has("silence")) for (const s of silences(record.utterances, record.duration_ms)) add(s.start_ms, s.end_ms, veil("--warm-muted", 18));
    if (layers.has("overlap")) for (const s of overlaps(record.utterances)) add(s.start_ms, s.end_ms, veil("--warm-watch", 45));
    if (layers.has("cards")) for (const c of record.cards) if (c.kind !== "tick") add(c.at_ms, c.at_ms, this.colour(c.kind === "alert" ? "--warm-bad" : "--warm-accent"));
    if (layers.has("turns")) for (const t of record.turns) add(t.start_ms, t.start_ms, this.colour(t.direction === "better" ? "--warm-good" : "--warm-bad"));
    if (this.selection) add(...this.selection, veil("--warm-accent", 25));
  }

  override render() {
    const w = this.words;
    return html`
      <div class="lanes" data-testid="lanes" aria-busy=${this.loading}>
        ${this.problem ? html`<p data-testid="no-sound">${this.problem}</p>` : html`<span class="who" style="top:4px">${w.who.customer}</span><span class="who" style=${`top:${LANE + 4}px`}>${w.who.agent}</span>`}
      </div>
      ${this.problem
        ? blank
        : html`<div class="bar">
            <button data-testid="play" aria-label=${this.playing ? w.pause : w.play} @click=${() => this.toggle()}>${this.playing ? "❚❚" : "▶"}</button>
            <button title=${w.back5} @click=${() => this.seek(this.ms - 5_000)}>−5 s</button>
            <button title=${w.forward5} @click=${() => this.seek(this.ms + 5_000)}>+5 s</button>
            <time data-testid="position">${clock(this.ms)}</time> / <time>${clock(this.record.duration_ms)}</time>
            <label
              >${w.rate}
              <select data-testid="rate" .value=${String(this.rate)} @change=${(e: Event) => this.setRate(Number((e.target as HTMLSelectElement).value))}>
                ${[0.75, 1, 1.25, 1.5, 2].map((r) => html`<option value=${r} ?selected=${r === this.rate}>${r}×</option>`)}
              </select></label
            >
            <label>${w.zoom} <input type="range" min="0" max="100" .value=${String(this.zoom)} @input=${(e: Event) => this.setZoom(Number((e.target as HTMLInputElement).value))} /></label>
          </div>`}
    `;
  }

  private setRate(rate: number): void {
    this.rate = rate;
    this.surfer?.setPlaybackRate(rate);
  }

  private setZoom(zoom: number): void {
    this.zoom = zoom;
    this.surfer?.zoom(zoom);
  }
}
