// Who it is that calls, where several customers have the number: the agent asks, and picks.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Gateway, ask, callPath, isProblem } from "./client";
import { deskWords } from "./desk_words";
import { style } from "./style";
import type { Candidate, CallRecord } from "./types";
import { words as wordsOf } from "./words";

@customElement("warmline-candidates")
export class Candidates extends LitElement {
  @property({ attribute: false }) gateway!: Gateway;
  @property({ attribute: false }) record!: CallRecord;
  @property() words = "en";

  @state() private found: Candidate[] = [];
  @state() private failed = "";
  @state() private picking = false;
  private of = "";

  private get ambiguous(): boolean {
    return !this.record.customer_id && Boolean(this.record.attributes?.["customers_of_phone"]) && this.record.status === "live";
  }

  override updated(): void {
    if (!this.ambiguous || this.of === this.record.call_id) return;
    this.of = this.record.call_id;
    this.found = [];
    this.picking = false;
    void ask<{ candidates: Candidate[] }>(this.gateway, `${callPath(this.of)}/candidates`).then(
      ({ candidates }) => (this.found = candidates),
      (error: unknown) => (this.failed = isProblem(error) ? error.detail : wordsOf(this.words.startsWith("zh") ? "zh" : "en").notSaved),
    );
  }

  private async pick(customer: string): Promise<void> {
    this.failed = "";
    this.picking = true;
    try {
      await ask(this.gateway, `${callPath(this.record.call_id)}/customer`, "POST", { customer_id: customer });
    } catch (error) {
      this.picking = false;
      this.failed = isProblem(error) ? error.detail : wordsOf(this.words.startsWith("zh") ? "zh" : "en").notSaved;
    }
  }

  override render() {
    if (!this.ambiguous) return blank;
    const d = deskWords(this.words);
    const day = (at: string) => new Intl.DateTimeFormat(d.lang, { dateStyle: "short" }).format(new Date(at));
    return html`<section data-testid="several" aria-label=${d.several}>
      <h2>${d.several}</h2>
      <ul>
        ${this.found.map((c) => html`<li>
          <button ?disabled=${this.picking} data-testid=${`pick-${c.customer_id}`} @click=${() => void this.pick(c.customer_id)}>${d.itIs(c.name || c.customer_id)}</button>
          <small>${[c.tier, c.region, c.last_contact ? d.lastContact(day(c.last_contact)) : "", c.last_issue].filter(Boolean).join(" · ")}</small>
        </li>`)}
      </ul>
      ${this.failed ? html`<p role="status">${this.failed}</p>` : blank}
    </section>`;
  }

  static override styles = [
    style,
    css`
      section {
        padding: 6px 12px;
        background: var(--warm-highlight);
        border-bottom: 1px solid var(--warm-line);
      }
      h2 {
        font-size: 12.5px;
      }
      ul {
        list-style: none;
        margin: 4px 0 0;
        padding: 0;
        display: grid;
        gap: 4px;
      }
    `,
  ];
}
