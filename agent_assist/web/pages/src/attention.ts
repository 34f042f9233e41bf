// A call that needs a supervisor: why, what happened so far, and what can be done about it without leaving the board.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Gateway, ask, callPath, isProblem } from "./client";
import { style } from "./style";
import type { CallRecord, CallSummary } from "./types";
import { type Words, clock } from "./words";

const EVERY_MS = 5_000;

@customElement("warmline-attention")
export class Attention extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) call: CallSummary | null = null;
  @property({ attribute: false }) words: Words | null = null;
  @property({ type: Number }) length = 0;
  /** May acknowledge. */
  @property({ type: Boolean }) acts = false;
  /** May speak to the agent. */
  @property({ type: Boolean }) speaks = false;

  @state() private record: CallRecord | null = null;
  @state() private told = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => void this.load(), EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override firstUpdated(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    if (this.call === null) return;
    try {
      this.record = await ask<CallRecord>(this.gateway, callPath(this.call.call_id));
    } catch {
      // The line of the list stands without it; the next look may have it.
      return;
    }
  }

  private async tried(act: () => Promise<void>): Promise<void> {
    this.told = "";
    try {
      await act();
    } catch (error) {
      this.told = isProblem(error) ? error.detail : (this.words?.notSaved ?? "");
    }
  }

  private acknowledge = (call: string) =>
    this.tried(async () => {
      const record = await ask<CallRecord>(this.gateway, callPath(call));
      const seen = new Set(record.acknowledged.map((a) => a.card_id));
      const open = record.cards.filter((c) => c.kind === "alert" && !seen.has(c.id));
      await Promise.all(open.map((c) => ask(this.gateway, `${callPath(call)}/cards/${encodeURIComponent(c.id)}/acknowledge`, "POST")));
    });

  private whisper(event: SubmitEvent, call: string, answers: string | null): void {
    event.preventDefault();
    const place = event.target as HTMLFormElement;
    const text = String(new FormData(place).get("text") ?? "");
    void this.tried(async () => {
      await ask(this.gateway, `${callPath(call)}/whispers`, "POST", { text, answers });
      place.reset();
      await this.load();
    });
  }

  override render() {
    const { call, words: w, record } = this;
    if (call === null || w === null) return blank;
    const answered = new Set(record?.whispers.map((x) => x.answers));
    const question = record?.asked.find((a) => !answered.has(a.id));
    const said = record?.synopsis_edits?.at(-1)?.text ?? record?.synopsis?.text ?? "";
    const open = record?.cards.filter((c) => c.kind === "alert").at(-1);
    return html`<p class="line">
        <a href=${`/overlay?call=${encodeURIComponent(call.call_id)}`}>${call.customer_name ?? call.customer_id ?? call.call_id}</a>
        <span class="muted">${call.agent_id ?? ""} · ${clock(this.length)}</span>
        ${call.alert ? html`<strong>${call.alert}</strong>` : blank}
        ${call.questions ? html`<span class="badge level-watch" data-testid="questions">${call.agent_id ?? w.who.agent} ${w.question}</span>` : blank}
        <span class=${`badge level-${call.risk.level}`}>${w.levels[call.risk.level]}</span>
        ${call.open_alerts && this.acts ? html`<button data-testid="acknowledge" @click=${() => void this.acknowledge(call.call_id)}>${w.acknowledge}</button>` : blank}
      </p>
      ${call.alert && open && open.reason !== call.alert ? html`<p class="small">${open.reason}</p>` : blank}
      ${question ? html`<p data-testid="question"><b>${question.by}:</b> ${question.question}</p>` : blank}
      ${said ? html`<p class="said small" data-testid="so-far" title=${said}>${said}</p>` : blank}
      ${this.speaks
        ? html`<form @submit=${(e: SubmitEvent) => this.whisper(e, call.call_id, question?.id ?? null)}>
            <input name="text" required maxlength="1000" aria-label=${w.whisperTo} placeholder=${w.whisperTo} data-testid="whisper-text" />
            <button type="submit" data-testid="whisper-send">${question ? w.answer : w.send}</button>
          </form>`
        : blank}
      ${this.told ? html`<p role="alert">${this.told}</p>` : blank}`;
  }

  static override styles = [
    style,
    css`
      :host {
        display: grid;
        gap: 5px;
        background: none;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
      }
      a {
        color: var(--warm-accent);
        font-weight: 600;
        text-decoration: none;
      }
      strong {
        color: var(--warm-bad);
      }
      .line button {
        margin-inline-start: auto;
      }
      .small {
        font-size: 12.5px;
      }
      .said {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
      }
      form {
        display: flex;
        gap: 6px;
        max-width: 560px;
      }
      input {
        flex: 1 1 auto;
        min-width: 0;
        padding: 4px 8px;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        background: var(--warm-surface);
      }
    `,
  ];
}
