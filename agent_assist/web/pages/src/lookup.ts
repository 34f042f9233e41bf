// Articles that fit what is being said, and a way to look for others.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { type Gateway, ask, isProblem } from "./client";
import { type DeskWords, deskWords } from "./desk_words";
import { type Mark, marked } from "./marked";
import { style } from "./style";
import type { Suggestion } from "./types";

/** What is the same in a suggestion and in an answer. */
interface Entry {
  kind: string;
  key: string;
  title: string;
  passage: string;
  marks: Mark[];
  source: string;
  version: number;
  language: string;
  reason?: string;
}

const SHOWN = 3;

@customElement("warmline-lookup")
export class Lookup extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) suggested: Suggestion[] = [];
  @property() words = "en";

  @state() private found: Entry[] | null = null;
  @state() private whole = new Map<string, string>();
  @state() private problem = "";

  private async look(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const question = String(new FormData(event.target as HTMLFormElement).get("q") ?? "").trim();
    if (question === "") return;
    await this.tried(async () => {
      const query = new URLSearchParams({ q: question, limit: String(SHOWN) });
      this.found = (await ask<{ hits: Entry[] }>(this.gateway, `/v1/knowledge/search?${query.toString()}`)).hits;
    });
  }

  private async read(entry: Entry): Promise<void> {
    const id = `${entry.kind}:${entry.key}`;
    const whole = new Map(this.whole);
    if (!whole.delete(id)) {
      await this.tried(async () => {
        const place = `${encodeURIComponent(entry.kind)}/${entry.key.split("/").map(encodeURIComponent).join("/")}`;
        // Sanitised by the gateway.
        whole.set(id, (await ask<{ html: string }>(this.gateway, `/v1/knowledge/nodes/${place}`)).html);
      });
    }
    this.whole = whole;
  }

  private async tried(act: () => Promise<void>): Promise<void> {
    this.problem = "";
    try {
      await act();
    } catch (error) {
      this.problem = isProblem(error) ? error.detail : "…";
    }
  }

  override render() {
    const d = deskWords(this.words);
    // The newest first: what is being spoken of now.
    const entries: Entry[] = this.found ?? [...this.suggested].sort((a, b) => b.at_ms - a.at_ms).slice(0, SHOWN);
    return html`<h2>${d.knowledge} ${this.found ? html`<button class="back" data-testid="suggestions" @click=${() => (this.found = null)}>${d.back}</button>` : blank}</h2>
      <form role="search" @submit=${(e: SubmitEvent) => void this.look(e)}>
        <input name="q" type="search" required maxlength="1000" aria-label=${d.lookUpHint} placeholder=${d.lookUpHint} data-testid="look-up" />
        <button type="submit">${d.lookUp}</button>
      </form>
      <div aria-live="polite">
        ${this.problem ? html`<p class="level-watch">${this.problem}</p>` : blank}
        ${this.found?.length === 0 ? html`<p class="muted" data-testid="look-up-none">${d.none}</p>` : blank}
        ${repeat(entries, (e) => `${e.kind}:${e.key}`, (e) => this.entry(e, d))}
      </div>`;
  }

  private entry(e: Entry, d: DeskWords) {
    const whole = this.whole.get(`${e.kind}:${e.key}`);
    return html`<article data-testid=${`article-${e.key}`} lang=${e.language === "zh" ? "zh-CN" : "en"}>
      <h3>${e.title}</h3>
      ${whole === undefined ? html`<p class="passage">${marked(e.passage, e.marks)}</p>` : html`<div class="whole">${unsafeHTML(whole)}</div>`}
      <p class="muted small" lang=${d.lang}>${[e.reason ? (d.reasons[e.reason] ?? e.reason) : "", e.source, d.version(e.version)].filter(Boolean).join(" · ")}
        <button class="read" aria-expanded=${whole !== undefined} aria-label=${`${whole === undefined ? d.read : d.less}: ${e.title}`} @click=${() => void this.read(e)}>${whole === undefined ? d.read : d.less}</button></p>
    </article>`;
  }

  static override styles = [
    style,
    css`
      :host {
        background: none;
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 8px;
        font-size: 12px;
        color: var(--warm-muted);
        margin-bottom: 4px;
      }
      form {
        display: flex;
        gap: 6px;
        margin-bottom: 6px;
      }
      input {
        flex: 1 1 auto;
        min-width: 0;
        padding: 4px 8px;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        background: var(--warm-surface);
      }
      article {
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 8px;
        padding: 6px 10px;
        margin-bottom: 6px;
        overflow-wrap: anywhere;
      }
      .passage {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 3;
        overflow: hidden;
      }
      .whole {
        max-height: 40vh;
        overflow: auto;
      }
      .small {
        font-size: 12px;
      }
      .read,
      .back {
        border: 0;
        background: none;
        color: var(--warm-accent);
        padding: 0 4px;
        min-height: 24px;
        font-weight: 600;
      }
    `,
  ];
}
