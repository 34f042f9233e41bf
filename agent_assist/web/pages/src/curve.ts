// The customer's mood over the call: the smoothed curve on the public scale, -5 ... +5, and where it turned.

import { LitElement, css, html, nothing as blank, unsafeCSS } from "lit";
import { customElement, property } from "lit/decorators.js";
import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css?inline";
import type { CurvePoint, Turn } from "./types";
import { type Words, clock } from "./words";

const HEIGHT = 130;
/** The point a turn is drawn at; none while the score there is not known. */
const placed = (points: CurvePoint[], turn: Turn) => points.find((p) => p.at_ms === turn.at_ms && p.score !== null);
const SIGNS = { better: "▲", worse: "▼" };

@customElement("warmline-curve")
export class Curve extends LitElement {
  static override styles = [
    unsafeCSS(sheet),
    css`
      :host {
        display: block;
        position: relative;
        height: ${HEIGHT}px;
      }
      .turn {
        position: absolute;
        transform: translate(-50%, -50%);
        font-size: 13px;
        line-height: 1;
        cursor: help;
      }
      .turn.better {
        color: var(--warm-good);
      }
      .turn.worse {
        color: var(--warm-bad);
      }
    `,
  ];

  @property({ attribute: false }) points: CurvePoint[] = [];
  @property({ attribute: false }) turns: Turn[] = [];
  @property({ attribute: false }) words!: Words;
  @property({ type: Number }) duration = 0;
  @property() theme = "light";

  private plot: uPlot | null = null;
  private sizes = new ResizeObserver(() => this.draw());

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  override render() {
    return html`<div></div>
      ${this.turns.map((turn) => {
        const told = this.told(turn);
        return placed(this.points, turn)
          ? html`<span class=${`turn ${turn.direction}`} data-testid=${`turn-${turn.direction}`} data-at=${turn.at_ms} role="img" tabindex="0" aria-label=${told} title=${told}>${SIGNS[turn.direction]}</span>`
          : blank;
      })}`;
  }

  private told(turn: Turn): string {
    const size = turn.size === null ? "" : ` (${turn.size > 0 ? "+" : "−"}${Math.abs(turn.size).toFixed(1)})`;
    return `${clock(turn.start_ms)} ${this.words.turns[turn.direction]}${size}, ${this.words.causes[turn.cause]}`;
  }

  /** Put the signs where the plot has its points: only it knows its scales. */
  private place(plot: uPlot): void {
    for (const sign of this.renderRoot.querySelectorAll<HTMLElement>(".turn")) {
      const point = this.points.find((p) => p.at_ms === Number(sign.dataset.at));
      const score = point?.score ?? 0;
      const above = score < 3.5 ? -14 : 14;
      sign.style.left = `${plot.over.offsetLeft + plot.valToPos(Number(sign.dataset.at) / 1000, "x")}px`;
      sign.style.top = `${plot.over.offsetTop + plot.valToPos(score, "y") + above}px`;
    }
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has("theme")) {
      this.plot?.destroy();
      this.plot = null;
    }
    this.draw();
  }

  private data(): uPlot.AlignedData {
    const known = this.points.filter((p) => p.score !== null);
    return [known.map((p) => p.at_ms / 1000), known.map((p) => p.score)];
  }

  private draw(): void {
    const where = this.renderRoot.querySelector("div");
    if (where === null || this.clientWidth === 0) return;
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const size = { width: this.clientWidth, height: HEIGHT };
    if (this.plot === null) {
      const axis = { stroke: colour("--warm-muted"), grid: { stroke: colour("--warm-line"), width: 1 }, font: "11px system-ui" };
      this.plot = new uPlot(
        {
          ...size,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false, range: () => [0, Math.max(30, this.duration / 1000)] }, y: { range: [-5, 5] } },
          axes: [
            { ...axis, values: (_, ticks) => ticks.map((t) => clock(t * 1000)) },
            { ...axis, size: 30, splits: [-5, 0, 5], values: (_, ticks) => ticks.map((t) => (t > 0 ? `+${t}` : `${t}`)) },
          ],
          hooks: { draw: [(plot) => this.place(plot)] },
          series: [{}, { stroke: colour("--warm-accent"), width: 2, points: { show: true, size: 6, fill: colour("--warm-accent") } }],
        },
        this.data(),
        where,
      );
    } else {
      this.plot.setSize(size);
      this.plot.setData(this.data());
    }
  }
}
