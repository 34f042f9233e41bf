// The synopsis of a call: running while it lasts; when it is over, to be corrected and saved.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type Gateway, ask, callPath, isProblem } from "./client";
import { deskWords } from "./desk_words";
import { style } from "./style";
import type { CallRecord, Me } from "./types";

@customElement("warmline-summary")
export class Summary extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) record: CallRecord | null = null;
  @property({ attribute: false }) me: Me | null = null;
  @property() words = "en";

  @state() private editing = false;
  @state() private open = false;
  @state() private told = "";
  @query("textarea") private box!: HTMLTextAreaElement | null;

  private get text(): string {
    return this.record?.synopsis_edits?.at(-1)?.text ?? this.record?.synopsis?.text ?? "";
  }

  private async edit(): Promise<void> {
    this.editing = true;
    await this.updateComplete;
    this.box?.focus();
  }

  private async save(): Promise<void> {
    const text = this.box?.value.trim() ?? "";
    if (this.record === null || text === "") return;
    const d = deskWords(this.words);
    this.told = d.saving;
    try {
      await ask(this.gateway, `${callPath(this.record.call_id)}/summary`, "PUT", { text, by: this.me?.name || "admin" });
      this.editing = false;
      this.told = "";
    } catch (error) {
      this.told = isProblem(error) ? error.detail : "…";
    }
  }

  override render() {
    const { record } = this;
    if (record === null || !record.synopsis || this.text === "") return blank;
    const d = deskWords(this.words);
    const over = record.status !== "live";
    const edited = record.synopsis_edits?.at(-1);
    const lang = record.synopsis.language === "zh" ? "zh-CN" : "en";
    return html`<details data-testid="summary" ?open=${this.open || over} @toggle=${(e: Event) => (this.open = (e.target as HTMLDetailsElement).open)}>
      <summary>${over ? d.summary : d.soFar}${edited ? html` <small class="muted">${d.savedBy(edited.by)}</small>` : blank}</summary>
      ${this.editing
        ? html`<textarea rows="7" maxlength="4000" aria-label=${d.summaryText} lang=${lang} data-testid="summary-text" .value=${this.text}></textarea>
            <p class="row"><button class="main" data-testid="summary-save" @click=${() => void this.save()}>${d.saveSummary}</button> <button @click=${() => (this.editing = false)}>${d.cancel}</button></p>`
        : html`${edited
              ? html`<p class="edited" lang=${lang} data-testid="summary-edited">${edited.text}</p>`
              : html`<ul lang=${lang}>${record.synopsis.sentences.map((s) => html`<li>${s.text}</li>`)}</ul>`}
            ${over ? html`<p class="row"><button data-testid="summary-edit" @click=${() => void this.edit()}>${d.editSummary}</button></p>` : blank}`}
      <p role="status" class="level-watch">${this.told}</p>
    </details>`;
  }

  static override styles = [
    style,
    css`
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
        margin: 4px 0;
        padding: 0;
        list-style: none;
        display: grid;
        gap: 3px;
        overflow-wrap: anywhere;
      }
      .edited {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      textarea {
        width: 100%;
        font: inherit;
        color: inherit;
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        padding: 6px 8px;
        resize: vertical;
      }
      .row {
        display: flex;
        gap: 8px;
        margin-top: 4px;
      }
      .main {
        background: var(--warm-accent);
        border-color: var(--warm-accent);
        color: var(--warm-on-accent);
      }
    `,
  ];
}
