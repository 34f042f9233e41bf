// How the overlay lies: narrow, 360 px and more.

import { css } from "lit";

export const overlayStyle = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
    max-width: 460px;
    min-width: 300px;
    margin: 0 auto;
    /* Names, addresses and errors of other programs come without a space. */
    overflow-wrap: anywhere;
    border-inline: 1px solid var(--warm-line);
  }
  header {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 8px 12px;
    background: var(--warm-surface);
    border-bottom: 1px solid var(--warm-line);
  }
  header h1 a {
    color: inherit;
    text-decoration: underline;
    text-decoration-color: var(--warm-line);
    text-underline-offset: 3px;
  }
  header h1 {
    font-size: 16px;
    flex: 1 1 auto;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  time {
    font-variant-numeric: tabular-nums;
  }
  .tools {
    display: inline-flex;
    gap: 4px;
    margin-inline-start: auto;
  }
  .notice {
    padding: 6px 12px;
    background: var(--warm-highlight);
  }
  section.alerts {
    flex: none;
    padding: 0;
    max-height: 30vh;
    overflow: auto;
  }
  .alert {
    display: grid;
    gap: 2px;
    padding: 10px 12px;
    background: var(--warm-bad-surface);
    color: var(--warm-bad);
    border-inline-start: 5px solid var(--warm-bad);
    border-bottom: 1px solid var(--warm-line);
  }
  .alert strong {
    font-size: 17px;
  }
  .desk {
    flex: none;
    max-height: 24vh;
    overflow: auto;
    background: var(--warm-surface);
    border-bottom: 1px solid var(--warm-line);
    display: grid;
    gap: 4px;
  }
  .whisper {
    padding: 5px 8px;
    background: var(--warm-highlight);
    border-radius: 6px;
  }
  .desk form {
    display: flex;
    gap: 6px;
  }
  .desk input {
    flex: 1 1 auto;
    min-width: 0;
    padding: 4px 8px;
    border: 1px solid var(--warm-line);
    border-radius: 6px;
    background: var(--warm-background);
  }
  main {
    flex: 1 1 auto;
    min-height: 0;
    overflow-y: auto;
    display: flex;
    flex-direction: column;
  }
  section,
  footer {
    padding: 8px 12px;
  }
  main > section {
    border-bottom: 1px solid var(--warm-line);
  }
  h2 {
    display: flex;
    align-items: center;
    gap: 8px;
    font-size: 12px;
    letter-spacing: 0.02em;
    color: var(--warm-muted);
    margin-bottom: 4px;
  }
  header {
    flex-wrap: wrap;
  }
  .badges {
    order: 1;
    flex-basis: 100%;
    display: flex;
    flex-wrap: wrap;
    gap: 4px 6px;
  }
  .tier {
    background: var(--warm-accent);
    color: var(--warm-on-accent);
    border-radius: 999px;
    padding: 0 8px;
    font-size: 12px;
    font-weight: 600;
  }
  .tag {
    border: 1px solid var(--warm-line);
    border-radius: 999px;
    padding: 0 8px;
    font-size: 12px;
  }
  details.tag[open] {
    flex-basis: 100%;
    border-radius: 8px;
  }
  .badges:not(:has(*)) {
    display: none;
  }
  .tag summary {
    padding: 0;
    min-height: 0;
    font-weight: inherit;
  }
  .tag ul {
    display: block;
    margin: 2px 0;
    padding: 0;
    list-style: none;
  }
  .tag li {
    display: block;
  }
  .contact {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .pop {
    flex: none;
    max-height: 34vh;
    overflow: auto;
    background: var(--warm-surface);
    border-bottom: 1px solid var(--warm-line);
    padding: 4px 12px;
  }
  .pop summary {
    font-size: 12px;
    font-weight: 600;
    color: var(--warm-muted);
  }
  .pop dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 2px 10px;
    margin: 2px 0 6px;
  }
  .pop dt {
    color: var(--warm-muted);
    font-size: 12.5px;
  }
  .pop dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .pop a {
    color: var(--warm-accent);
  }
  .small {
    font-size: 12.5px;
  }
  .hints p {
    border-inline-start: 3px solid var(--warm-line);
    padding-inline-start: 8px;
    font-size: 12.5px;
  }
  .pause {
    flex: none;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    background: var(--warm-agent);
    border-bottom: 1px solid var(--warm-line);
  }
  .pause button {
    flex: none;
    white-space: nowrap;
  }
  .state {
    display: grid;
    grid-template-columns: minmax(0, auto) minmax(0, 1fr);
    border-bottom: 1px solid var(--warm-line);
  }
  .state:has(figure) {
    grid-template-columns: minmax(0, 1fr);
  }
  .folded .face svg {
    width: 26px;
    height: 26px;
  }
  .folded .face br {
    display: none;
  }
  .folded > section {
    padding-block: 4px;
    align-self: center;
  }
  .risk summary h2,
  .checklist summary h2 {
    display: inline-flex;
    margin: 0;
  }
  .checklist {
    padding-block: 4px;
  }
  .after {
    display: grid;
    gap: 6px;
  }
  .cards h2 {
    /* As high with the button as without it. */
    min-height: 28px;
  }
  h2 .badge {
    font-size: 12px;
    min-height: 24px;
  }
  .empty {
    padding: 20vh 24px;
    text-align: center;
  }
  .empty h2 {
    font-size: 18px;
    justify-content: center;
    color: var(--warm-text);
  }
  .face {
    display: flex;
    align-items: center;
    gap: 10px;
    text-align: start;
    border: 0;
    background: none;
    padding: 0;
  }
  .face svg {
    fill: none;
    stroke: currentColor;
    stroke-width: 1.6;
    stroke-linecap: round;
  }
  .face .eye {
    fill: currentColor;
    stroke: none;
  }
  figure {
    margin: 8px 0 0;
  }
  .bar {
    height: 6px;
    border-radius: 3px;
    background: var(--warm-line);
    overflow: hidden;
  }
  .bar span {
    display: block;
    height: 100%;
    background: currentColor;
    transition: width 0.3s;
  }
  ul {
    list-style: none;
    margin: 6px 0 0;
    padding: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 4px 12px;
  }
  .risk li {
    display: inline-flex;
    gap: 4px;
  }
  .cards {
    flex: none;
    min-height: 96px;
    max-height: 46vh;
    overflow-y: auto;
  }
  .card {
    background: var(--warm-surface);
    border: 1px solid var(--warm-line);
    border-inline-start: 4px solid var(--warm-accent);
    border-radius: 8px;
    padding: 8px 10px;
    margin-bottom: 8px;
  }
  .card[provisional] {
    opacity: 0.7;
  }
  .card h3 {
    font-size: 14px;
  }
  .why {
    color: var(--warm-muted);
    font-size: 12.5px;
    margin-top: 3px;
  }
  .alert .why {
    color: inherit;
  }
  .actions {
    display: flex;
    gap: 6px;
    margin-top: 6px;
  }
  .words {
    flex: 1 0 220px;
    min-height: 220px;
    display: flex;
    flex-direction: column;
    position: relative;
  }
  .transcript {
    flex: 1 1 0;
    min-height: 0;
    overflow-y: auto;
  }
  .said {
    background: var(--warm-surface);
    border-radius: 8px;
    padding: 4px 9px;
    margin: 0 24px 6px 0;
    width: fit-content;
    max-width: calc(100% - 24px);
  }
  .said.agent {
    background: var(--warm-agent);
    margin: 0 0 6px auto;
  }
  .said small {
    display: block;
    color: var(--warm-muted);
    font-size: 11.5px;
  }
  .partial {
    background: none;
    border: 1px dashed var(--warm-line);
    color: var(--warm-muted);
  }
  .committed {
    color: var(--warm-text);
  }
  .newest {
    position: absolute;
    bottom: 14px;
    left: 50%;
    transform: translateX(-50%);
  }
  footer {
    position: sticky;
    bottom: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 2px 14px;
    background: var(--warm-surface);
    border-top: 1px solid var(--warm-line);
    font-size: 12.5px;
    color: var(--warm-muted);
  }
  footer b {
    color: var(--warm-text);
  }
`;
