// Compensation: an agent asks, and sees what became of it.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Gateway, ask, callPath, isProblem } from "./client";
import { authority, deskWords } from "./desk_words";
import { form, style } from "./style";
import type { CallRecord, Compensation } from "./types";

const CURRENCIES = ["CNY", "EUR", "USD"];

/** A key that makes the same request twice one; not of crypto.randomUUID, which pages without TLS lack. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

@customElement("warmline-compensation")
export class Compensations extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) record: CallRecord | null = null;
  @property() words = "en";

  @state() private own: Compensation[] = [];
  @state() private told = "";
  @state() private busy = false;
  private key = newKey();

  private async request(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.record === null) return;
    const place = event.target as HTMLFormElement;
    const given = new FormData(place);
    const body = { key: this.key, kind: given.get("kind"), amount: String(given.get("amount")).trim(), currency: given.get("currency"), reason: given.get("reason") };
    this.busy = true;
    this.told = "";
    try {
      const done = await ask<Compensation>(this.gateway, `${callPath(this.record.call_id)}/compensations`, "POST", body);
      this.own = [...this.own.filter((c) => c.id !== done.id), done];
      place.reset();
      this.key = newKey();
    } catch (error) {
      // A refusal is an answer; where none came, the same key asks for the same again.
      if (isProblem(error)) this.key = newKey();
      this.told = isProblem(error) ? error.detail : "…";
    }
    this.busy = false;
  }

  override render() {
    const { record } = this;
    if (record === null) return blank;
    const d = deskWords(this.words);
    const known = new Map([...this.own.filter((c) => c.call_id === record.call_id), ...(record.compensations ?? [])].map((c) => [c.id, c]));
    return html`<details data-testid="compensation">
      <summary>${d.compensation}${known.size ? html` <b>${known.size}</b>` : blank}</summary>
      ${[...known.values()].map((c) => html`<p data-testid="compensated" data-state=${c.state}><b>${c.amount} ${c.currency}</b> ${d.kinds[c.kind] ?? c.kind} <span class=${c.state === "granted" || c.state === "approved" ? "level-none" : c.state === "pending" ? "level-watch" : "level-critical"}>${d.compensationStates[c.state] ?? c.state}</span><br /><small class="muted">${c.reason}${c.rule ? ` · ${authority(c, d.lang)}` : ""}${c.note ? ` · ${c.note}` : ""}</small></p>`)}
      <form @submit=${(e: SubmitEvent) => void this.request(e)}>
        <label>${d.kind} <select name="kind">${Object.entries(d.kinds).map(([kind, name]) => html`<option value=${kind}>${name}</option>`)}</select></label>
        <label>${d.amount} <input name="amount" required inputmode="decimal" pattern="[0-9]+([.][0-9]{1,2})?" maxlength="12" data-testid="amount" /></label>
        <label>${d.currency} <select name="currency">${CURRENCIES.map((each) => html`<option>${each}</option>`)}</select></label>
        <label class="wide">${d.why} <input name="reason" required maxlength="500" data-testid="compensation-reason" /></label>
        <button type="submit" ?disabled=${this.busy} data-testid="compensate">${d.request}</button>
      </form>
      <p role="status" class="level-watch">${this.told}</p>
    </details>`;
  }

  static override styles = [
    style,
    form,
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
      p {
        overflow-wrap: anywhere;
        margin-bottom: 4px;
      }
      form {
        display: grid;
        grid-template-columns: 1fr 1fr auto;
        gap: 6px;
      }
      .wide {
        grid-column: 1 / -1;
      }
      form button {
        grid-column: 1 / -1;
        justify-self: start;
      }
    `,
  ];
}
