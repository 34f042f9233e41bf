// A curve over days: values at times, as points on a line, on an axis that stays where it is.

import { LitElement, css, html, nothing as blank, unsafeCSS } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css?inline";

export interface TrendPoint {
  at: string;
  value: number;
  /** Drawn hollow. */
  hollow?: boolean;
  /** What is told when it is pointed at. */
  told: string;
}

const HEIGHT = 150;
const DAY_S = 86_400;

@customElement("warmline-trend")
export class Trend extends LitElement {
  static override styles = [
    unsafeCSS(sheet),
    css`
      :host {
        display: block;
      }
      .plot {
        min-height: ${HEIGHT}px;
      }
      p {
        margin: 0;
        min-height: 18px;
        font-size: 12px;
        color: var(--warm-muted);
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }
    `,
  ];

  /** By their times. */
  @property({ attribute: false }) points: TrendPoint[] = [];
  @property({ attribute: false }) range: [number, number] = [0, 1];
  /** Where the axis has its lines. */
  @property({ attribute: false }) splits: number[] = [0, 0.5, 1];
  @property({ attribute: false }) format: (value: number) => string = String;
  @property() label = "";
  @property() language = "en";
  @property() theme = "light";

  @state() private pointed = "";
  private plot: uPlot | null = null;
  private sizes = new ResizeObserver(() => this.draw());

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
    this.forget();
  }

  override render() {
    return html`<div class="plot" role="img" aria-label=${this.label}></div>
      <p aria-hidden="true">${this.pointed || (this.points.at(-1)?.told ?? blank)}</p>`;
  }

  override updated(changed: Map<string, unknown>): void {
    // The plot holds colours, words and an axis of its own.
    if (["theme", "language", "range", "splits"].some((name) => changed.has(name))) this.forget();
    if (!changed.has("pointed") || changed.size > 1) this.draw();
  }

  private forget(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private data(): uPlot.AlignedData {
    const values = (wanted: (p: TrendPoint) => boolean) => this.points.map((p) => (wanted(p) ? p.value : null));
    return [this.points.map((p) => Date.parse(p.at) / 1000), values(() => true), values((p) => !p.hollow), values((p) => p.hollow === true)];
  }

  private span(): [number, number] {
    const times = this.points.map((p) => Date.parse(p.at) / 1000);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const room = Math.max((last - first) * 0.04, last - first < DAY_S ? 3_600 : DAY_S / 2);
    return [first - room, last + room];
  }

  private ticks(times: number[]): string[] {
    const [first, last] = this.span();
    const days = last - first > 2 * DAY_S;
    const shape: Intl.DateTimeFormatOptions = last - first > 300 * DAY_S ? { year: "2-digit", month: "short" } : days ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" };
    const words = times.map((t) => new Intl.DateTimeFormat(this.language, shape).format(new Date(t * 1000)));
    return words.map((word, n) => (word === words[n - 1] ? "" : word));
  }

  private draw(): void {
    const where = this.renderRoot.querySelector<HTMLElement>(".plot");
    if (where === null || this.clientWidth === 0 || this.points.length === 0) return;
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const size = { width: this.clientWidth, height: HEIGHT };
    if (this.plot === null) {
      const [accent, ground] = [colour("--warm-accent"), colour("--warm-surface")];
      const axis = { stroke: colour("--warm-muted"), grid: { stroke: colour("--warm-line"), width: 1 }, ticks: { stroke: colour("--warm-line"), width: 1 }, font: "11px system-ui" };
      this.plot = new uPlot(
        {
          ...size,
          legend: { show: false },
          cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
          scales: { x: { range: () => this.span() }, y: { range: this.range } },
          axes: [
            { ...axis, space: 70, size: 28, values: (_, times) => this.ticks(times) },
            { ...axis, size: 54, splits: this.splits, values: (_, at) => at.map((v) => this.format(v)) },
          ],
          hooks: { setCursor: [(plot) => (this.pointed = plot.cursor.idx == null || plot.cursor.left == null || plot.cursor.left < 0 ? "" : (this.points[plot.cursor.idx]?.told ?? ""))] },
          series: [
            {},
            { stroke: accent, width: 2, points: { show: false } },
            { stroke: accent, width: 0, paths: () => null, points: { show: true, size: 8, fill: accent } },
            { stroke: accent, width: 2, paths: () => null, points: { show: true, size: 8, width: 2, fill: ground } },
          ],
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
