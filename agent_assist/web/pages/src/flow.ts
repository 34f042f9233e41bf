// The steps of the service in one line, and all of them where somebody wants to see them.

import { css, html, nothing as blank } from "lit";
import type { DeskWords } from "./desk_words";
import type { Flow } from "./types";
import { clock } from "./words";

const MARKS = { done: "☑", open: "☐", skipped: "⚠", waived: "–" };

export function flow(given: Flow, d: DeskWords, open: boolean, toggle: (open: boolean) => void) {
  const asked = given.steps.filter((s) => s.state !== "waived" && !s.optional);
  const done = asked.filter((s) => s.state === "done").length;
  const current = given.steps.find((s) => s.id === given.current);
  const skipped = given.steps.filter((s) => s.state === "skipped");
  return html`<section class="flow" data-testid="flow">
    <details ?open=${open} @toggle=${(e: Event) => toggle((e.target as HTMLDetailsElement).open)}>
      <summary>
        <b>${d.flow}</b> <span data-testid="flow-count">${d.flowDone(done, asked.length)}</span>
        ${current ? html`<span class="current">${d.now}: ${current.title}</span>` : blank}
        ${skipped.length ? html`<span class="level-watch" data-testid="flow-skipped">⚠ ${skipped.map((s) => s.title).join(", ")}</span>` : blank}
      </summary>
      <ol>
        ${given.steps.map((s) => html`<li data-testid=${`tick-${s.id}`} data-done=${s.state === "done"} data-state=${s.state} aria-current=${s.id === given.current ? "step" : "false"} class=${s.branch ? "branch" : ""}>
          <span role="img" aria-label=${d.stepStates[s.state] ?? s.state} class=${s.state === "skipped" ? "level-watch" : s.state === "done" ? "level-none" : "muted"}>${MARKS[s.state] ?? "☐"}</span>
          ${s.title} <small class="muted">${[s.at_ms === null ? "" : clock(s.at_ms), s.optional ? d.optional : "", s.out_of_order ? d.outOfOrder : ""].filter(Boolean).join(" · ")}</small>
        </li>`)}
      </ol>
      ${given.branches.map((b) => html`<p class="muted small">${b.title}: ${b.reason}</p>`)}
      ${given.over && given.adherence !== null ? html`<p class="small">${d.adherence(Math.round(100 * given.adherence))}</p>` : blank}
    </details>
  </section>`;
}

export const flowStyle = css`
  summary {
    cursor: pointer;
    min-height: 24px;
    overflow-wrap: anywhere;
  }
  .flow summary b {
    font-size: 12px;
    font-weight: 600;
    color: var(--warm-muted);
  }
  .flow ol {
    list-style: none;
    margin: 4px 0 0;
    padding: 0;
    display: grid;
    gap: 2px;
  }
  .flow li[aria-current="step"],
  .current {
    font-weight: 600;
  }
  .flow .branch {
    padding-inline-start: 16px;
  }
`;
