// Colours and type of both pages. Every colour is a variable, so that a CRM can set its own; pairs meet WCAG AA.

import { css } from "lit";

/** Of the outermost component alone: those inside have what it has, so that a page around it may set its own. */
export const palette = css`
  :host {
    --warm-background: #f4f5f7;
    --warm-surface: #ffffff;
    --warm-text: #1c2430;
    --warm-muted: #566073;
    --warm-line: #dde1e8;
    --warm-accent: #1f5fbf;
    --warm-on-accent: #ffffff;
    --warm-good: #18703d;
    --warm-watch: #8a5a00;
    --warm-bad: #b3261e;
    --warm-bad-surface: #fdecea;
    --warm-highlight: #fff1b8;
    --warm-agent: #e8eef8;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
    --warm-background: #14171c;
    --warm-surface: #1e232b;
    --warm-text: #eceff4;
    --warm-muted: #a7b0c0;
    --warm-line: #343b47;
    --warm-accent: #8ab4ff;
    --warm-on-accent: #10203a;
    --warm-good: #7ddba0;
    --warm-watch: #f2c14e;
    --warm-bad: #ff9d94;
    --warm-bad-surface: #451d1a;
    --warm-highlight: #5c4a00;
    --warm-agent: #26303f;
  }
`;

export const style = css`
  :host {
    display: block;
    color: var(--warm-text);
    background: var(--warm-background);
    font: 14px/1.45 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  }
  * {
    box-sizing: border-box;
  }
  button,
  input {
    font: inherit;
    color: inherit;
  }
  button {
    border: 1px solid var(--warm-line);
    border-radius: 6px;
    background: var(--warm-surface);
    padding: 3px 10px;
    cursor: pointer;
    min-height: 28px;
  }
  button:hover {
    border-color: var(--warm-accent);
  }
  button[aria-pressed="true"] {
    background: var(--warm-accent);
    border-color: var(--warm-accent);
    color: var(--warm-on-accent);
  }
  :focus-visible {
    outline: 2px solid var(--warm-accent);
    outline-offset: 2px;
  }
  h1,
  h2,
  h3,
  p {
    margin: 0;
    font-size: inherit;
  }
  .muted {
    color: var(--warm-muted);
  }
  .dot {
    display: inline-block;
    width: 9px;
    height: 9px;
    border-radius: 50%;
    background: var(--warm-watch);
  }
  .dot.open {
    background: var(--warm-good);
  }
  .dot.refused,
  .dot.gone {
    background: var(--warm-bad);
  }
  .badge {
    border-radius: 999px;
    padding: 1px 9px;
    border: 1px solid currentColor;
    font-weight: 600;
    white-space: nowrap;
  }
  .level-none,
  .emotion-satisfied {
    color: var(--warm-good);
  }
  .level-watch,
  .level-elevated,
  .emotion-anxious,
  .emotion-disappointed {
    color: var(--warm-watch);
  }
  .level-critical,
  .emotion-angry {
    color: var(--warm-bad);
  }
  .level-unknown,
  .emotion-unknown {
    color: var(--warm-muted);
  }
  .badge.level-unknown {
    border-style: dashed;
  }
  mark {
    background: var(--warm-highlight);
    color: var(--warm-text);
    border-radius: 3px;
    padding: 0 3px;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
  }
  @media (prefers-reduced-motion: no-preference) {
    .arrives {
      animation: arrive 0.2s ease-out;
    }
    @keyframes arrive {
      from {
        opacity: 0;
        transform: translateY(-4px);
      }
    }
  }
`;

/** What the pages share beyond the components of others' pages: a bar above, notices, links that look like buttons. */
/** A list that folds away, of lines with something to be done at their end. */
export const folded = css`
  :host {
    background: none;
  }
  summary {
    cursor: pointer;
    font-weight: 600;
    font-size: 12px;
    color: var(--warm-muted);
    min-height: 24px;
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  li {
    display: flex;
    justify-content: space-between;
    align-items: start;
    gap: 8px;
    padding: 6px 0;
    border-top: 1px solid var(--warm-line);
    overflow-wrap: anywhere;
  }
`;

export const page = css`
  :host {
    min-height: 100vh;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px 14px;
    padding: 10px 20px;
    background: var(--warm-surface);
    border-bottom: 1px solid var(--warm-line);
  }
  header h1 {
    font-size: 17px;
  }
  a {
    color: var(--warm-accent);
    font-weight: 600;
    text-decoration: none;
  }
  nav {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
  }
  nav a {
    font-weight: 400;
    padding: 3px 2px;
    min-height: 28px;
    border-bottom: 2px solid transparent;
  }
  nav a[aria-current="page"] {
    color: inherit;
    border-color: var(--warm-accent);
  }
  a.button {
    border: 1px solid var(--warm-line);
    border-radius: 6px;
    padding: 3px 10px;
    min-height: 28px;
    color: inherit;
    font-weight: 400;
  }
  button.main {
    background: var(--warm-accent);
    border-color: var(--warm-accent);
    color: var(--warm-on-accent);
  }
  .tools {
    display: inline-flex;
    gap: 8px;
    margin-inline-start: auto;
  }
  .notice {
    padding: 6px 20px;
    background: var(--warm-highlight);
  }
  .tag {
    border: 1px solid var(--warm-line);
    border-radius: 999px;
    padding: 0 8px;
    font-size: 12px;
  }
`;

/** Fields with their labels above them, of the pages that ask for something. */
export const form = css`
  label {
    display: grid;
    gap: 3px;
    font-size: 12.5px;
    color: var(--warm-muted);
  }
  input,
  select,
  textarea {
    font: inherit;
    font-size: 14px;
    color: var(--warm-text);
    padding: 5px 8px;
    border: 1px solid var(--warm-line);
    border-radius: 6px;
    background: var(--warm-surface);
    min-width: 0;
    width: 100%;
  }
`;

export type Theme = "light" | "dark";

const KEY = "warmline.theme";

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function keepTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
}
