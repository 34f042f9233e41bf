// The knowledge base: questions in plain words for all; drafts, publishing and imports for experts and supervisors.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { type Gateway, ask, isProblem, takeToken } from "./client";
import "./editing";
import { knowledgeWords } from "./knowledge_words";
import { links } from "./links";
import { Look } from "./look";
import { type Mark, marked } from "./marked";
import { type Theme, chosenTheme, form, page, palette, style } from "./style";
import type { Me } from "./types";

export interface Hit {
  kind: string;
  key: string;
  version: number;
  title: string;
  language: string;
  source: string;
  heading: string;
  passage: string;
  marks: Mark[];
  score: number;
  why: "code" | "text";
}

interface Answer {
  question: string;
  hits: Hit[];
  codes: string[];
}

export interface Article {
  node: { kind: string; key: string; title: string; language: string; source: string; links: { kind: string; to_kind: string; to_key: string }[] };
  version: number;
  /** Sanitised by the gateway: no scripts, no styles, links to the web and to mail alone. */
  html: string;
}

const nodePath = (kind: string, key: string) => `${encodeURIComponent(kind)}/${key.split("/").map(encodeURIComponent).join("/")}`;

@customElement("warmline-knowledge")
export class Knowledge extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private answer: Answer | null = null;
  @state() private article: Article | null = null;
  @state() private problem = "";
  @state() private me: Me | null = null;
  @state() private asked = "";
  @state() private wanted = "";
  @state() private busy = false;

  @query("input[name=q]") private box!: HTMLInputElement | null;

  private gateway: Gateway = { server: "", token: "" };
  private keys = (event: KeyboardEvent) => this.key(event);

  override connectedCallback(): void {
    super.connectedCallback();
    this.gateway = { server: "", token: takeToken() };
    document.addEventListener("keydown", this.keys);
    void this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.keys);
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
    document.title = `Warmline · ${knowledgeWords(this.look.language).title}`;
  }

  private async begin(): Promise<void> {
    const address = new URLSearchParams(location.search);
    const [kind, key, question] = [address.get("kind"), address.get("key"), address.get("q")];
    await this.tried(async () => {
      this.me = await ask<Me>(this.gateway, "/v1/me");
      if (kind && key) this.article = await ask<Article>(this.gateway, `/v1/knowledge/nodes/${nodePath(kind, key)}`);
    });
    if (question) await this.find(question);
  }

  private get mayWrite(): boolean {
    return this.me !== null && ["expert", "supervisor", "admin"].includes(this.me.role);
  }

  private key(event: KeyboardEvent): void {
    const at = event.composedPath()[0];
    const writing = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement;
    if (event.key === "Escape" && this.article) this.article = null;
    else if (event.key === "/" && !writing) {
      event.preventDefault();
      this.box?.focus();
    }
  }

  private async tried(act: () => Promise<void>): Promise<void> {
    this.problem = "";
    this.busy = true;
    try {
      await act();
    } catch (error) {
      const w = this.look.words;
      this.problem = isProblem(error) ? (error.status === 401 ? w.refused : error.detail) : w.noAnswer;
    }
    this.busy = false;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    this.wanted = String(given.get("language") ?? "");
    const question = String(given.get("q") ?? "").trim();
    if (question) await this.find(question);
  }

  private async find(question: string): Promise<void> {
    this.asked = question;
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ q: question }).toString()}`);
    const asked = new URLSearchParams({ q: question, limit: "10", ...(this.wanted ? { language: this.wanted } : {}) });
    await this.tried(async () => {
      this.answer = await ask<Answer>(this.gateway, `/v1/knowledge/search?${asked.toString()}`);
      this.article = null;
    });
  }

  private read = (kind: string, key: string, version?: number) =>
    this.tried(async () => {
      const place = nodePath(kind, key);
      this.article = await ask<Article>(this.gateway, version === undefined ? `/v1/knowledge/nodes/${place}` : `/v1/knowledge/versions/${version}/${place}`);
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("[data-testid=article]")?.focus();
    });

  override render() {
    const w = knowledgeWords(this.look.language);
    return html`
      <header>
        ${links(this.look.words, "knowledge")}
        <h1 class="visually-hidden">${w.title}</h1>
        <span class="tools">${this.look.buttons()}</span>
      </header>
      <main>
        <form role="search" @submit=${(e: SubmitEvent) => void this.submit(e)}>
          <label class="question">${w.ask} <input name="q" type="search" required maxlength="1000" placeholder=${w.askExample} .value=${this.asked} data-testid="question" /></label>
          <label>${w.language} <select name="language">${["", "zh", "en"].map((each) => html`<option value=${each} ?selected=${each === this.wanted}>${w.languages[each]}</option>`)}</select></label>
          <button class="main" type="submit" ?disabled=${this.busy} data-testid="ask">${w.search}</button>
        </form>
        <div role="status">${this.problem ? html`<p class="notice" data-testid="problem">${this.problem}</p>` : blank}</div>
        ${this.article ? this.whole(this.article) : blank}
        <section aria-live="polite">${this.answer ? this.answers(this.answer) : html`<p class="muted">${w.hint}</p>`}</section>
        ${this.mayWrite
          ? html`<warmline-editing .gateway=${this.gateway} .language=${this.look.language} @read=${(e: CustomEvent<{ kind: string; key: string; version: number }>) => void this.read(e.detail.kind, e.detail.key, e.detail.version)}></warmline-editing>`
          : blank}
      </main>
    `;
  }

  private answers(answer: Answer) {
    const w = knowledgeWords(this.look.language);
    if (answer.hits.length === 0) {
      return html`<div class="none" data-testid="none">
        <p><b>${w.none}</b></p>
        ${answer.codes.length ? html`<p>${w.unknownCode(answer.codes.join(", "))}</p>` : blank}
        <p class="muted">${w.noneHint}</p>
      </div>`;
    }
    return html`<ol class="hits">
      ${repeat(answer.hits, (hit) => `${hit.kind}:${hit.key} ${hit.heading} ${hit.passage}`, (hit) => html`<li data-testid="hit" lang=${hit.language === "zh" ? "zh-CN" : "en"}>
          <h2><button class="title" data-testid=${`read-${hit.key}`} @click=${() => void this.read(hit.kind, hit.key)}>${hit.title}</button></h2>
          ${hit.heading && hit.heading !== hit.title ? html`<h3>${hit.heading}</h3>` : blank}
          ${hit.passage ? html`<p class="passage">${marked(hit.passage, hit.marks)}</p>` : blank}
          <p class="muted source" lang=${this.look.words.lang}>${w.kinds[hit.kind] ?? hit.kind} · ${w.version(hit.version)}${hit.source ? ` · ${w.source} ${hit.source}` : ""} · ${hit.why === "code" ? w.code : w.score(Math.round(100 * hit.score))}</p>
        </li>`)}
    </ol>`;
  }

  private whole(article: Article) {
    const w = knowledgeWords(this.look.language);
    const { node } = article;
    return html`<article class="whole" data-testid="article" tabindex="-1" lang=${node.language === "zh" ? "zh-CN" : "en"}>
      <button class="close" lang=${this.look.words.lang} @click=${() => (this.article = null)}>${w.close}</button>
      <h2>${node.title}</h2>
      <p class="muted source" lang=${this.look.words.lang}>${w.kinds[node.kind] ?? node.kind} ${node.key} · ${w.version(article.version)}${node.source ? ` · ${w.source} ${node.source}` : ""}</p>
      <div class="body">${article.html ? unsafeHTML(article.html) : html`<p class="muted">${w.noText}</p>`}</div>
      ${node.links.length ? html`<p lang=${this.look.words.lang}>${w.links}: ${node.links.map((l) => html`<button @click=${() => void this.read(l.to_kind, l.to_key)}>${w.kinds[l.to_kind] ?? l.to_kind} ${l.to_key}</button> `)}</p>` : blank}
    </article>`;
  }

  static override styles = [
    palette,
    style,
    page,
    form,
    css`
      main {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 16px;
        padding: 16px 20px;
        max-width: 860px;
        margin: 0 auto;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 10px;
        align-items: end;
      }
      .question {
        flex: 1 1 260px;
      }
      select {
        width: auto;
      }
      .hits {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        gap: 10px;
      }
      .hits li,
      .whole,
      .none {
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 8px;
        padding: 10px 14px;
        overflow-wrap: anywhere;
      }
      .none {
        display: grid;
        gap: 4px;
      }
      .title {
        border: 0;
        background: none;
        padding: 0;
        font-weight: 700;
        font-size: 15px;
        color: var(--warm-accent);
        text-align: start;
      }
      h3 {
        font-size: 13px;
      }
      .passage {
        margin: 4px 0;
        white-space: pre-line;
      }
      .source {
        font-size: 12.5px;
      }
      .whole {
        border-color: var(--warm-accent);
      }
      .whole h2 {
        font-size: 18px;
      }
      .close {
        float: inline-end;
      }
      .body {
        margin: 8px 0;
      }
      .body p,
      .body ul,
      .body ol,
      .body pre,
      .body table {
        margin: 8px 0;
      }
      .body pre,
      .body table {
        overflow-x: auto;
        display: block;
      }
      .body td,
      .body th {
        border: 1px solid var(--warm-line);
        padding: 3px 8px;
        text-align: start;
      }
    `,
  ];
}
