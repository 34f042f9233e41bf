// Customers who may leave and whose alert nobody has closed: whose it is, by when, and the two things to do about it.

import { LitElement, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem } from "./client";
import type { CustomerAlert } from "./customer_types";
import { folded, style } from "./style";
import type { Level } from "./types";

const WORDS = {
  en: {
    leaving: "Customers who may leave",
    levels: { critical: "critical", elevated: "elevated", watch: "watch", none: "", unknown: "" },
    acknowledge: "Take on",
    close: "Close",
    by: (name: string) => `taken on by ${name}`,
    until: (at: string) => `goes one up ${at}`,
    ways: { tutorial: "show them how", offer: "offer", win_back: "win back" } as Record<string, string>,
  },
  zh: {
    leaving: "可能流失的客户",
    levels: { critical: "高危", elevated: "较高", watch: "关注", none: "", unknown: "" },
    acknowledge: "接手",
    close: "关闭",
    by: (name: string) => `已由 ${name} 接手`,
    until: (at: string) => `${at} 升级`,
    ways: { tutorial: "使用指导", offer: "优惠挽留", win_back: "致歉挽回" } as Record<string, string>,
  },
};
const WEIGHT: Record<Level, number> = { critical: 3, elevated: 2, watch: 1, none: 0, unknown: 0 };
const MOST = 200;

@customElement("warmline-leaving")
export class Leaving extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) changed: CustomerAlert | null = null;
  @property() words = "en";
  /** May take on and close. */
  @property({ type: Boolean }) acts = false;

  @state() private alerts = new Map<string, CustomerAlert>();
  @state() private problem = "";

  override firstUpdated(): void {
    void this.load();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("changed") && this.changed !== null) this.take(this.changed);
  }

  private take(one: CustomerAlert): void {
    const alerts = new Map(this.alerts);
    if (one.state === "closed") alerts.delete(one.customer_id);
    else alerts.set(one.customer_id, one);
    this.alerts = alerts;
  }

  private async load(): Promise<void> {
    try {
      const found = await Promise.all(
        ["open", "acknowledged"].map((how) => ask<{ alerts: CustomerAlert[] }>(this.gateway, `/v1/alerts?state=${how}&limit=${MOST}`)),
      );
      for (const { alerts } of found) for (const one of alerts) if (!this.alerts.has(one.customer_id)) this.take(one);
    } catch {
      // The channel tells of those to come.
      return;
    }
  }

  private async act(one: CustomerAlert, what: "acknowledge" | "close"): Promise<void> {
    this.problem = "";
    try {
      this.take(await ask<CustomerAlert>(this.gateway, `/v1/alerts/${encodeURIComponent(one.customer_id)}/${what}`, "POST"));
    } catch (error) {
      this.problem = isProblem(error) ? error.detail : "…";
    }
  }

  override render() {
    if (this.alerts.size === 0) return blank;
    const w = this.words.startsWith("zh") ? WORDS.zh : WORDS.en;
    const when = (at: string) => new Intl.DateTimeFormat(this.words, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(at));
    const shown = [...this.alerts.values()].sort((a, b) => WEIGHT[b.level] - WEIGHT[a.level] || (a.due_at ?? "9").localeCompare(b.due_at ?? "9"));
    return html`<details open data-testid="leaving-customers">
      <summary>${w.leaving} <b>${shown.length}</b></summary>
      <ul>
        ${repeat(shown, (one) => one.customer_id, (one) => html`<li data-testid="customer-alert" data-customer=${one.customer_id}>
            <div>
              <span class=${`badge level-${one.level}`}>${w.levels[one.level]}</span> <b>${one.customer_id}</b> ${one.team}
              <small class="muted">${w.ways[one.branch] ?? ""} · ${one.state === "acknowledged" ? w.by(one.by) : one.due_at === null ? "" : w.until(when(one.due_at))}</small>
            </div>
            ${this.acts ? html`<span>
                  ${one.state === "open" ? html`<button aria-label=${`${w.acknowledge}: ${one.customer_id}`} @click=${() => void this.act(one, "acknowledge")}>${w.acknowledge}</button>` : blank}
                  <button aria-label=${`${w.close}: ${one.customer_id}`} @click=${() => void this.act(one, "close")}>${w.close}</button>
                </span>` : blank}
          </li>`)}
      </ul>
      <p role="status" class="level-watch">${this.problem}</p>
    </details>`;
  }

  static override styles = [style, folded];
}
