// Drafts, versions, imports and what was rejected, for who may write.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem, send } from "./client";
import { knowledgeWords } from "./knowledge_words";
import { form, page, style } from "./style";
import { words } from "./words";

export interface Listed {
  kind: string;
  key: string;
  version: number;
  state: "draft" | "published" | "withdrawn";
  title: string;
  language: string;
  source: string;
  /** The node has no later version. */
  latest: boolean;
}

/** What can be done with a version: the latest draft of a node be published, what is published be withdrawn. */
export function change(v: Pick<Listed, "state" | "latest">): "publish" | "withdraw" | null {
  if (v.state === "published") return "withdraw";
  return v.state === "draft" && v.latest ? "publish" : null;
}

const idOf = (v: Listed) => `${v.kind}:${v.key}@${v.version}`;

interface Rejected {
  source: string;
  reason: string;
}

interface Imported {
  added: number;
  changed: number;
  unchanged: number;
  rejected: Rejected[];
}

const LARGEST = 20_000_000;
const FILES = ".md,.markdown,.html,.htm,.pdf,.csv,.jsonl";

@customElement("warmline-editing")
export class Editing extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) language: "zh" | "en" = "zh";

  @state() private versions: Listed[] | null = null;
  @state() private rejected: Rejected[] = [];
  @state() private how = "draft";
  @state() private chosen = new Set<string>();
  @state() private told: string[] = [];
  @state() private failed: string[] = [];
  @state() private busy = false;

  override firstUpdated(): void {
    void this.act(() => this.load());
  }

  private get w() {
    return knowledgeWords(this.language);
  }

  private async load(): Promise<void> {
    const query = this.how === "" ? "" : `?how=${this.how}`;
    const found = await ask<{ versions: Listed[]; rejected: Rejected[] }>(this.gateway, `/v1/knowledge/versions${query}`);
    this.versions = found.versions;
    this.rejected = found.rejected;
    const there = new Set(found.versions.filter((v) => change(v) !== null).map(idOf));
    this.chosen = new Set([...this.chosen].filter((id) => there.has(id)));
  }

  /** Do something; tell what came of it, or why nothing did. */
  private async act(what: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.told = [];
    this.failed = [];
    try {
      await what();
    } catch (error) {
      this.failed = [...this.failed, isProblem(error) ? error.detail : words(this.language).noAnswer];
    }
    this.busy = false;
  }

  private upload = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = "";
    void this.act(async () => {
      for (const file of files) await this.take(file);
      this.how = "draft";
      await this.load();
    });
  };

  private async take(file: File): Promise<void> {
    const w = this.w;
    if (file.size > LARGEST) {
      this.failed = [...this.failed, w.tooLarge(file.name)];
      return;
    }
    this.told = [...this.told, w.uploading(file.name)];
    try {
      const done = await send<Imported>(this.gateway, `/v1/knowledge/import?name=${encodeURIComponent(file.name)}`, file);
      const line = w.imported(file.name, done.added, done.changed, done.unchanged);
      this.told = [...this.told.slice(0, -1), ...(done.added + done.changed + done.unchanged > 0 ? [line] : [])];
      this.failed = [...this.failed, ...done.rejected.map((r) => `${r.source}: ${r.reason}`)];
    } catch (error) {
      this.told = this.told.slice(0, -1);
      if (!isProblem(error)) throw error;
      this.failed = [...this.failed, `${file.name}: ${error.detail}`];
    }
  }

  private write(event: SubmitEvent): void {
    event.preventDefault();
    const place = event.target as HTMLFormElement;
    const given = new FormData(place);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const node = { kind: "article", key: text("key") || text("title").slice(0, 60), title: text("title"), language: text("language"), body: text("body") };
    void this.act(async () => {
      const done = await ask<Imported>(this.gateway, "/v1/knowledge/drafts", "POST", node);
      this.told = [done.unchanged ? this.w.unchanged : this.w.saved];
      place.reset();
      this.how = "draft";
      await this.load();
    });
  }

  /** Ids of the nodes whose chosen version that can be done with. */
  private wanted(what: "publish" | "withdraw"): string[] {
    return (this.versions ?? []).filter((v) => this.chosen.has(idOf(v)) && change(v) === what).map((v) => `${v.kind}:${v.key}`);
  }

  private carryOut = (what: "publish" | "withdraw") => {
    void this.act(async () => {
      const { ids } = await ask<{ ids: string[] }>(this.gateway, `/v1/knowledge/${what}`, "POST", { ids: this.wanted(what) });
      this.chosen = new Set();
      await this.load();
      this.told = [what === "publish" ? this.w.published(ids.length) : this.w.withdrawn(ids.length)];
    });
  };

  private choose(id: string, on: boolean): void {
    const next = new Set(this.chosen);
    if (on) next.add(id);
    else next.delete(id);
    this.chosen = next;
  }

  override render() {
    const w = this.w;
    return html`<section aria-labelledby="edit-title">
      <h2 id="edit-title">${w.edit}</h2>
      <div class="ways">
        <label class="button file">${w.upload}<input type="file" multiple accept=${FILES} class="visually-hidden" data-testid="upload" ?disabled=${this.busy} @change=${this.upload} /></label>
        <span class="muted small">${w.uploadHint}</span>
      </div>
      <details>
        <summary>${w.write}</summary>
        <form @submit=${(e: SubmitEvent) => this.write(e)}>
          <label class="wide">${w.articleTitle} <input name="title" required maxlength="300" data-testid="new-title" /></label>
          <label>${w.key} <input name="key" maxlength="200" /></label>
          <label>${w.language} <select name="language"><option value="zh" ?selected=${this.language === "zh"}>${w.languages["zh"]}</option><option value="en" ?selected=${this.language === "en"}>${w.languages["en"]}</option></select></label>
          <label class="wide">${w.body} <textarea name="body" rows="8" required maxlength="200000" data-testid="new-body"></textarea></label>
          <button class="main" type="submit" ?disabled=${this.busy} data-testid="save">${w.save}</button>
        </form>
      </details>
      <div role="status">
        ${this.told.map((line) => html`<p class="told" data-testid="told">${line}</p>`)}
        ${this.failed.map((line) => html`<p class="failed" data-testid="import-failed">${line}</p>`)}
      </div>
      <div class="ways">
        <label class="inline">${w.show} <select data-testid="how" @change=${(e: Event) => { this.how = (e.target as HTMLSelectElement).value; void this.act(() => this.load()); }}>
          ${["draft", "published", "withdrawn", ""].map((how) => html`<option value=${how} ?selected=${how === this.how}>${how === "" ? w.all : w.states[how]}</option>`)}
        </select></label>
        <span class="muted">${this.chosen.size ? w.chosen(this.chosen.size) : ""}</span>
        <button data-testid="publish" ?disabled=${this.busy || this.wanted("publish").length === 0} @click=${() => this.carryOut("publish")}>${w.publish}</button>
        <button data-testid="withdraw" ?disabled=${this.busy || this.wanted("withdraw").length === 0} @click=${() => this.carryOut("withdraw")}>${w.withdraw}</button>
      </div>
      ${this.versions === null ? blank : this.versions.length === 0 ? html`<p class="muted">${this.how === "" ? w.empty : w.noneOf}</p>` : this.list(this.versions)}
      ${this.rejected.length ? html`<details><summary>${w.rejected} (${this.rejected.length})</summary><ul>${this.rejected.map((r) => html`<li><b>${r.source}</b> <span class="muted">${r.reason}</span></li>`)}</ul></details>` : blank}
    </section>`;
  }

  private list(versions: Listed[]) {
    const w = this.w;
    return html`<ul>
      ${repeat(versions, idOf, (v) => html`<li data-testid="version" data-state=${v.state}>
          ${change(v) === null ? html`<span class="box"></span>` : html`<input type="checkbox" aria-label=${`${w.select}: ${v.title}, ${w.version(v.version)}`} .checked=${this.chosen.has(idOf(v))} @change=${(e: Event) => this.choose(idOf(v), (e.target as HTMLInputElement).checked)} />`}
          <button class="title" @click=${() => this.dispatchEvent(new CustomEvent("read", { detail: v }))}>${v.title}</button>
          <span class=${`badge ${v.state === "published" ? "level-none" : v.state === "draft" ? "level-watch" : "level-unknown"}`}>${w.states[v.state]}</span>
          <span class="muted small">${w.kinds[v.kind] ?? v.kind} ${v.key} · ${w.version(v.version)}${v.source ? ` · ${v.source}` : ""}</span>
        </li>`)}
    </ul>`;
  }

  static override styles = [
    style,
    page,
    form,
    css`
      :host {
        min-height: 0;
        background: none;
      }
      section {
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 8px;
        padding: 12px 14px;
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 10px;
      }
      h2 {
        font-size: 14px;
      }
      .small {
        font-size: 12.5px;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 12px;
      }
      .ways .small {
        flex: 1 1 240px;
      }
      .file {
        display: inline-block;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        padding: 4px 12px;
        font-size: 14px;
        color: inherit;
        cursor: pointer;
        position: relative;
      }
      .file:focus-within {
        outline: 2px solid var(--warm-accent);
        outline-offset: 2px;
      }
      .inline {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      select,
      input[type="checkbox"] {
        width: auto;
      }
      .box {
        width: 24px;
      }
      input[type="checkbox"] {
        min-width: 24px;
        min-height: 24px;
        margin: 0;
      }
      form {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 10px;
        margin-top: 8px;
      }
      .wide {
        grid-column: 1 / -1;
      }
      form button {
        justify-self: start;
      }
      summary {
        cursor: pointer;
        color: var(--warm-accent);
        font-weight: 600;
      }
      .told {
        color: var(--warm-good);
      }
      .failed {
        color: var(--warm-bad);
        background: var(--warm-bad-surface);
        padding: 4px 10px;
        overflow-wrap: anywhere;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 10px;
        padding: 7px 0;
        border-top: 1px solid var(--warm-line);
        overflow-wrap: anywhere;
      }
      .title {
        border: 0;
        background: none;
        padding: 0;
        font-weight: 600;
        color: var(--warm-accent);
        text-align: start;
        max-width: calc(100% - 40px);
      }
    `,
  ];
}
