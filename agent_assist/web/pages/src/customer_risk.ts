// The risk that a customer leaves: its level, where it lies, and the reasons as bars that add up to it.

import { css, html, nothing as blank } from "lit";
import type { Profile } from "./customer_types";
import type { CustomerWords } from "./customer_words";
import type { Words } from "./words";

const SHOWN = 7;
const percent = (share: number) => Math.round(share * 100);

/** A bar of the sum: it begins where those before it ended. */
export interface Step {
  name: string;
  from: number;
  to: number;
}

/** Reasons one upon the other, from the average on, the strongest first; the weak ones are one. */
export function steps(reasons: { name: string; contribution: number }[], rest: (n: number) => string, shown = SHOWN): Step[] {
  const base = reasons.filter((r) => r.name === "base_rate");
  // What adds less than half a thousandth is not worth a line.
  const others = reasons.filter((r) => r.name !== "base_rate" && Math.abs(r.contribution) >= 0.0005).sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const weak = others.length > shown + 1 ? others.slice(shown) : [];
  const kept = [...base, ...(weak.length ? others.slice(0, shown) : others)];
  if (weak.length) kept.push({ name: rest(weak.length), contribution: weak.reduce((sum, r) => sum + r.contribution, 0) });
  let at = 0;
  return kept.map(({ name, contribution }) => {
    const from = at;
    at += contribution;
    return { name, from, to: at };
  });
}

export function risk(of: Profile["risk"], w: Words, c: CustomerWords) {
  if (of === null) return html`<p class="muted" data-testid="risk-none">${c.noModel}</p>`;
  const known = of.level !== "unknown" && of.score !== null;
  return html`<p class="score">
      <span class=${`badge level-${of.level}`} data-testid="risk-level">${w.levels[of.level]}</span>
      ${known ? html`<b>${percent(of.score ?? 0)} %</b>` : blank}
      ${known && of.low !== null && of.high !== null ? html`<span class="muted" data-testid="risk-interval">${c.interval(percent(of.low), percent(of.high))}</span>` : blank}
    </p>
    ${known ? sum(of, w, c) : html`<p class="muted" data-testid="risk-unknown">${c.riskUnknown}</p>`}`;
}

function sum(of: NonNullable<Profile["risk"]>, w: Words, c: CustomerWords) {
  const bars = steps(of.reasons, c.others);
  if (bars.length === 0) return blank;
  // A scale of its own, so that small reasons are seen, too.
  const most = Math.max(...bars.flatMap((b) => [b.from, b.to]), of.score ?? 0) || 1;
  const least = Math.min(0, ...bars.flatMap((b) => [b.from, b.to]));
  const place = (value: number) => ((value - least) / (most - least)) * 100;
  const name = (bar: Step) => w.reasons[bar.name] ?? c.riskNames[bar.name] ?? bar.name;
  const points = (value: number) => `${value > 0 ? "+" : "−"}${Math.abs(value * 100).toFixed(Math.abs(value) < 0.0095 ? 1 : 0)}`;
  return html`<table class="sum">
    <caption class="visually-hidden">${c.whyRisk}</caption>
    <tbody>
      ${bars.map((bar) => {
        const change = bar.to - bar.from;
        const kind = bar.name === "base_rate" ? "base" : change > 0 ? "up" : "down";
        return html`<tr data-testid="reason">
          <th scope="row">${name(bar)}</th>
          <td class="track" aria-hidden="true"><span class=${kind} style=${`inset-inline-start:${place(Math.min(bar.from, bar.to))}%;width:${Math.max(place(Math.max(bar.from, bar.to)) - place(Math.min(bar.from, bar.to)), 0.6)}%`}></span></td>
          <td class="number">${bar.name === "base_rate" ? `${percent(bar.to)} %` : points(change)}</td>
        </tr>`;
      })}
      <tr class="total" data-testid="reason-sum">
        <th scope="row">${c.sum}</th>
        <td class="track" aria-hidden="true"><span class="base" style=${`inset-inline-start:${place(0)}%;width:${place(of.score ?? 0) - place(0)}%`}></span></td>
        <td class="number">${percent(of.score ?? 0)} %</td>
      </tr>
    </tbody>
  </table>`;
}

export const riskStyle = css`
  .score {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 4px 10px;
    margin-bottom: 8px;
  }
  .score b {
    font-size: 20px;
    font-variant-numeric: tabular-nums;
  }
  .sum {
    width: 100%;
    border-collapse: collapse;
    font-size: 12.5px;
  }
  .sum th {
    text-align: start;
    font-weight: 400;
    padding: 2px 10px 2px 0;
    max-width: 190px;
    overflow-wrap: anywhere;
  }
  .sum .number {
    text-align: end;
    padding-inline-start: 8px;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .sum .track {
    position: relative;
    width: 55%;
    height: 20px;
  }
  .track span {
    position: absolute;
    top: 4px;
    bottom: 4px;
    border-radius: 2px;
  }
  .track .base {
    background: var(--warm-muted);
  }
  .track .up {
    background: var(--warm-bad);
  }
  .track .down {
    background: var(--warm-good);
  }
  .total > * {
    border-top: 1px solid var(--warm-line);
    font-weight: 600;
  }
`;
