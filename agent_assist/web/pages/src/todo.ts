// What is to be done for a customer, done or dismissed with the keyboard.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type Gateway, ask, isProblem } from "./client";
import { When, inWords } from "./customer_parts";
import type { CustomerTask, Texts } from "./customer_types";
import { customerWords } from "./customer_words";
import { style } from "./style";
import { words } from "./words";

@customElement("warmline-todo")
export class Todo extends LitElement {
  @property({ attribute: false }) gateway: Gateway = { server: "", token: "" };
  @property({ attribute: false }) tasks: CustomerTask[] = [];
  @property() language: "zh" | "en" = "en";
  /** May say that a task is done. */
  @property({ type: Boolean }) acts = false;

  @state() private problem = "";
  /** Of the task that was just settled, until the list is without it. */
  private place: number | null = null;

  private async settle(task: CustomerTask, to: "done" | "cancelled"): Promise<void> {
    this.problem = "";
    const here = this.tasks.indexOf(task);
    try {
      await ask(this.gateway, `/v1/tasks/${encodeURIComponent(task.id)}`, "PUT", { state: to, version: task.version, note: "" });
    } catch (error) {
      this.problem = isProblem(error) ? error.detail : words(this.language).noAnswer;
    }
    // Whoever owns the list takes it away; the focus goes to what comes in its place.
    this.place = here;
    this.dispatchEvent(new CustomEvent("settled", { detail: this.problem === "" ? task.id : "" }));
  }

  override updated(changed: Map<string, unknown>): void {
    if (!changed.has("tasks") || this.place === null) return;
    this.focusOn(Math.min(this.place, this.tasks.length - 1));
    this.place = null;
  }

  private focusOn(number: number): void {
    const buttons = this.renderRoot.querySelectorAll<HTMLElement>("li .done");
    (buttons[Math.max(number, 0)] ?? this.renderRoot.querySelector<HTMLElement>(".nothing"))?.focus();
  }

  private key(event: KeyboardEvent, number: number): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const task = this.tasks[number];
    const keys: Record<string, () => void> = {
      j: () => this.focusOn(Math.min(number + 1, this.tasks.length - 1)),
      k: () => this.focusOn(number - 1),
      d: () => task && void this.settle(task, "done"),
      x: () => task && void this.settle(task, "cancelled"),
    };
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  override render() {
    const c = customerWords(this.language);
    const when = new When(c.lang);
    const late = (t: CustomerTask) => t.due_at !== null && Date.parse(t.due_at) < Date.now();
    return html`${this.tasks.length === 0 ? html`<p class="muted nothing" tabindex="-1" data-testid="no-tasks">${c.noTasks}</p>` : blank}
      <ul>
        ${repeat(this.tasks, (t) => t.id, (t, number) => {
          const title = inWords(t.texts as Texts, c.lang) || t.title;
          return html`<li data-testid="customer-task" @keydown=${(e: KeyboardEvent) => this.key(e, number)}>
            <div><b>${title}</b>
            <p class="small"><span class=${late(t) ? "level-critical" : "muted"}>${t.due_at === null ? c.noDue : c.due(when.time(t.due_at))}${late(t) ? ` · ${c.overdue}` : ""}</span> <span class="muted">${[t.team ?? "", t.agent_id ?? ""].filter(Boolean).join(" · ")}</span></p>
            ${t.text && t.text !== title ? html`<p class="small">${t.text}</p>` : blank}</div>
            ${this.acts
              ? html`<p class="acts"><button class="done" data-testid="task-done" aria-label=${`${c.done}: ${title}`} aria-keyshortcuts="d" @click=${() => void this.settle(t, "done")}>${c.done}</button>
                  <button data-testid="task-dismiss" aria-label=${`${c.dismiss}: ${title}`} aria-keyshortcuts="x" @click=${() => void this.settle(t, "cancelled")}>${c.dismiss}</button></p>`
              : blank}
          </li>`;
        })}
      </ul>
      ${this.acts && this.tasks.length ? html`<p class="muted small keys">${c.taskKeys}</p>` : blank}
      <p role="status" class="level-watch">${this.problem}</p>`;
  }

  static override styles = [
    style,
    css`
      :host {
        background: none;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        align-items: start;
        gap: 4px 10px;
        padding: 8px 0;
        border-bottom: 1px solid var(--warm-line);
        overflow-wrap: anywhere;
      }
      li:first-child {
        padding-top: 0;
      }
      .keys {
        margin-top: 6px;
      }
      .small {
        font-size: 12.5px;
      }
      .acts {
        display: flex;
        gap: 6px;
      }
      button {
        white-space: nowrap;
      }
    `,
  ];
}
