// The customer's emotion over the call: valence of each utterance on the public scale, -5 ... +5.

import { LitElement, css, html, unsafeCSS } from "lit";
import { customElement, property } from "lit/decorators.js";
import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css?inline";
import type { Utterance } from "./types";
import { clock } from "./words";

@customElement("warmline-curve")
export class Curve extends LitElement {
  static override styles = [
    unsafeCSS(sheet),
    css`
      :host {
        display: block;
        height: 130px;
      }
    `,
  ];

  @property({ attribute: false }) utterances: Utterance[] = [];
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
    return html`<div></div>`;
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has("theme")) {
      this.plot?.destroy();
      this.plot = null;
    }
    this.draw();
  }

  private points(): uPlot.AlignedData {
    const known = this.utterances.filter((u) => u.channel === "customer" && u.emotion?.valence != null);
    return [known.map((u) => u.end_ms / 1000), known.map((u) => 5 * (u.emotion?.valence ?? 0))];
  }

  private draw(): void {
    const where = this.renderRoot.querySelector("div");
    if (where === null || this.clientWidth === 0) return;
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const size = { width: this.clientWidth, height: 130 };
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
          series: [{}, { stroke: colour("--warm-accent"), width: 2, points: { show: true, size: 6, fill: colour("--warm-accent") } }],
        },
        this.points(),
        where,
      );
    } else {
      this.plot.setSize(size);
      this.plot.setData(this.points());
    }
  }
}
