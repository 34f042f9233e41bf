// Tasks that are open, by when they are due; the agent's own, or a team's.

import { LitElement, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem } from "./client";
import { deskWords } from "./desk_words";
import { folded, style } from "./style";
import type { Task } from "./types";

const EVERY_MS = 60_000;

@customElement("warmline-tasks")
export class Tasks extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property() words = "en";
  @property({ type: Boolean }) mine = false;
  /** Changes where there may be new ones. */
  @property() occasion = "";

  @state() private tasks: Task[] = [];
  @state() private problem = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => void this.load(), EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("occasion")) void this.load();
  }

  private async load(): Promise<void> {
    try {
      const found = await ask<{ tasks: Task[] }>(this.gateway, `/v1/tasks?state=open&limit=50${this.mine ? "&mine=true" : ""}`);
      this.tasks = found.tasks;
    } catch {
      // The next look may find them; what is shown is still true as far as it goes.
      return;
    }
  }

  private async finish(task: Task): Promise<void> {
    this.problem = "";
    try {
      await ask(this.gateway, `/v1/tasks/${encodeURIComponent(task.id)}`, "PUT", { state: "done", version: task.version, note: "" });
      this.tasks = this.tasks.filter((one) => one.id !== task.id);
    } catch (error) {
      this.problem = isProblem(error) ? error.detail : "…";
      await this.load();
    }
  }

  override render() {
    if (this.tasks.length === 0 && this.problem === "") return blank;
    const d = deskWords(this.words);
    const when = (at: string) => new Intl.DateTimeFormat(d.lang, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(at));
    const late = this.tasks.filter((t) => t.due_at !== null && Date.parse(t.due_at) < Date.now()).length;
    return html`<details data-testid="tasks">
      <summary>${d.tasks} <b>${this.tasks.length}</b>${late ? html` · <span class="level-critical">${late} ${d.overdue}</span>` : blank}</summary>
      <ul>
        ${repeat(this.tasks, (t) => t.id, (t) => html`<li data-testid="task">
            <div><b>${t.title}</b> ${t.customer_name ?? ""}<br /><small class=${t.due_at !== null && Date.parse(t.due_at) < Date.now() ? "level-critical" : "muted"}>${t.due_at === null ? d.noDue : d.due(when(t.due_at))}${this.mine ? "" : ` · ${t.agent_id ?? t.team}`}</small>${t.text ? html`<br /><small>${t.text}</small>` : blank}</div>
            <button aria-label=${`${d.finish}: ${t.title}`} @click=${() => void this.finish(t)}>${d.finish}</button>
          </li>`)}
      </ul>
      <p role="status" class="level-watch">${this.problem}</p>
    </details>`;
  }

  static override styles = [style, folded];
}
