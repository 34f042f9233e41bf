// The list of calls: those in progress first, the ones that need attention before the others; then the past.

import { LitElement, css, html, nothing as blank } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "./attention";
import { type Connection, type Gateway, LiveChannel, ask, takeToken } from "./client";
import "./leaving";
import { links } from "./links";
import { Look } from "./look";
import { type Theme, chosenTheme, page, palette, style } from "./style";
import "./team";
import type { CustomerAlert } from "./customer_types";
import type { CallSummary, Level, Me } from "./types";
import { clock } from "./words";

const WEIGHT: Record<Level, number> = { critical: 3, elevated: 2, watch: 1, none: 0, unknown: 0 };

/** Most attention first, then the longest; past calls by their start. */
export function inOrder(calls: Iterable<CallSummary>): CallSummary[] {
  // What waits for somebody comes before what has been seen to.
  const attention = (c: CallSummary) => (c.open_alerts + c.questions) * 100 + c.alerts * 10 + WEIGHT[c.risk.level];
  return [...calls].sort((a, b) => {
    const live = Number(b.status === "live") - Number(a.status === "live");
    if (live !== 0) return live;
    if (a.status === "live") return attention(b) - attention(a) || a.started_at.localeCompare(b.started_at);
    return b.started_at.localeCompare(a.started_at);
  });
}

@customElement("warmline-calls")
export class Calls extends LitElement {
  @property({ reflect: true }) theme: Theme = chosenTheme();

  private readonly look = new Look(this);

  @state() private calls = new Map<string, CallSummary>();
  @state() private loaded = false;
  @state() private connection: Connection = "connecting";
  @state() private retryAt = 0;
  @state() private now = Date.now();
  @state() private wanted = "";
  /** The alert of a customer that changed last. */
  @state() private warned: CustomerAlert | null = null;
  /** Requests that wait for a supervisor; null until the gateway has said how many. */
  @state() private approvals: number | null = null;

  @query("input") private box!: HTMLInputElement;

  @state() private me: Me | null = null;
  private gateway: Gateway = { server: "", token: "" };
  private channel: LiveChannel | null = null;
  private ticking = 0;
  private keys = (event: KeyboardEvent) => this.key(event);

  override connectedCallback(): void {
    super.connectedCallback();
    const token = takeToken();
    this.gateway = { server: "", token };
    void ask<Me>(this.gateway, "/v1/me").then(
      (me) => (this.me = me),
      () => undefined, // The channel says so, too.
    );
    this.channel = new LiveChannel({
      gateway: { server: "", token },
      query: () => ({}),
      onMessage: (message) => {
        if (message.kind === "calls") {
          this.calls = new Map(message.data.map((c) => [c.call_id, c]));
          this.loaded = true;
        } else if (message.kind === "call") {
          this.calls = new Map(this.calls).set(message.data.call_id, message.data);
        } else if (message.kind === "alert") {
          this.warned = message.data.alert;
        }
      },
      onConnection: (connection, retryInMs) => {
        this.connection = connection;
        this.retryAt = Date.now() + retryInMs;
      },
    });
    this.ticking = window.setInterval(() => (this.now = Date.now()), 1000);
    document.addEventListener("keydown", this.keys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.channel?.close();
    clearInterval(this.ticking);
    document.removeEventListener("keydown", this.keys);
  }

  override updated(): void {
    document.documentElement.lang = this.look.words.lang;
  }

  private key(event: KeyboardEvent): void {
    if (event.composedPath()[0] instanceof HTMLInputElement) {
      if (event.key === "Escape") this.box.blur();
      return;
    }
    const links = [...this.renderRoot.querySelectorAll<HTMLAnchorElement>("tbody a")];
    const at = links.indexOf((this.renderRoot as ShadowRoot).activeElement as HTMLAnchorElement);
    if (event.key === "j") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "k") links[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "/") {
      event.preventDefault();
      this.box.focus();
    }
  }

  override render() {
    const w = this.look.words;
    const notice = {
      connecting: this.loaded ? "" : w.connecting,
      open: "",
      retrying: w.retrying(Math.max(0, Math.ceil((this.retryAt - this.now) / 1000))),
      refused: w.refused,
      gone: w.gone,
    }[this.connection];
    const asked = this.wanted.trim().toLowerCase();
    const shown = inOrder(this.calls.values()).filter((c) =>
      [c.call_id, c.customer_name, c.customer_id, c.agent_id, c.queue].some((v) => v?.toLowerCase().includes(asked)),
    );
    return html`
      <header>
        <span class=${`dot ${this.connection}`} role="img" aria-label=${this.connection} data-testid="connection"></span>
        ${links(w, "calls")}
        <h1 class="visually-hidden">${w.calls}</h1>
        <input
          type="search"
          aria-label=${w.search}
          placeholder=${w.search}
          .value=${this.wanted}
          @input=${(e: Event) => (this.wanted = (e.target as HTMLInputElement).value)}
        />
        <span class="tools">${this.look.buttons()}</span>
      </header>
      <div role="status">${notice ? html`<p class="notice">${notice}</p>` : blank}</div>
      ${this.board()}
      <main>
        ${this.loaded && shown.length === 0
          ? html`<p class="empty muted" data-testid="empty">${asked ? w.noMatch : w.noCalls}</p>`
          : html`<table>
              <thead>
                <tr>
                  ${w.columns.map((name) => html`<th scope="col">${name}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${repeat(
                  shown,
                  (c) => c.call_id,
                  (c) => this.row(c),
                )}
              </tbody>
            </table>`}
      </main>
      <p class="keys muted">${w.keys}</p>
    `;
  }

  private get mayAct(): boolean {
    return this.me !== null && ["supervisor", "admin"].includes(this.me.role);
  }

  /** What waits for a supervisor, above the list. */
  private board() {
    const w = this.look.words;
    if (!this.loaded || this.me === null || ["agent", "senior"].includes(this.me.role)) return blank;
    const waiting = inOrder(this.calls.values()).filter((c) => c.status === "live" && c.open_alerts + c.questions > 0);
    const leaving = [...this.calls.values()].filter((c) => c.status === "live" && c.risk.level === "critical").length;
    return html`<section class="board" aria-label=${w.alerts} aria-live="polite">
      ${waiting.length === 0
        ? leaving > 0
          ? html`<p class="level-critical" data-testid="leaving">${w.atRisk(leaving)}</p>`
          : this.mayAct && this.approvals !== 0
            ? blank
            : html`<p class="quiet" data-testid="quiet">${w.allQuiet}</p>`
        : repeat(waiting, (c) => c.call_id, (c) => html`<article data-testid="needs" data-call=${c.call_id}>
              <warmline-attention .gateway=${this.gateway} .call=${c} .words=${w} .length=${this.now - new Date(c.started_at).getTime()} ?acts=${this.mayAct} ?speaks=${this.mayAct || this.me?.role === "expert"}></warmline-attention>
            </article>`)}
      <warmline-leaving .gateway=${this.gateway} .changed=${this.warned} words=${w.lang} ?acts=${this.mayAct}></warmline-leaving>
      ${this.mayAct ? html`<warmline-team .gateway=${this.gateway} .calls=${this.calls} words=${w.lang} @approvals=${(e: CustomEvent<number>) => (this.approvals = e.detail)}></warmline-team>` : blank}
    </section>`;
  }

  private row(call: CallSummary) {
    const w = this.look.words;
    const started = new Date(call.started_at);
    const length = call.status === "live" ? this.now - started.getTime() : call.duration_ms;
    const time = new Intl.DateTimeFormat(w.lang, { dateStyle: "short", timeStyle: "medium" }).format(started);
    return html`<tr data-testid="call" data-status=${call.status} class=${call.status === "live" && call.open_alerts + call.questions > 0 ? "urgent" : ""}>
      <td><a href=${`/${call.status === "live" ? "overlay" : "replay"}?call=${encodeURIComponent(call.call_id)}`}>${call.customer_name ?? call.customer_id ?? call.call_id}</a></td>
      <td>${call.status === "live" ? html`<span class="dot open" aria-hidden="true"></span> ` : blank}${w[call.status]}</td>
      <td><time datetime=${call.started_at}>${time}</time></td>
      <td class="number">${clock(length)}</td>
      <td><span class=${`emotion-${call.emotion}`}>${w.labels[call.emotion]}</span></td>
      <td><span class=${`badge level-${call.risk.level}`}>${w.levels[call.risk.level]}</span></td>
      <td class="number">${call.alerts || ""}</td>
      <td>${call.agent_id ?? ""}</td>
    </tr>`;
  }

  static override styles = [
    palette,
    style,
    page,
    css`
      input {
        flex: 0 1 320px;
        min-width: 180px;
        padding: 5px 10px;
        border: 1px solid var(--warm-line);
        border-radius: 6px;
        background: var(--warm-background);
      }
      .board {
        display: grid;
        gap: 6px;
        padding: 12px 20px 0;
      }
      .board article {
        padding: 10px 12px;
        background: var(--warm-bad-surface);
        border: 1px solid var(--warm-line);
        border-inline-start: 5px solid var(--warm-bad);
        border-radius: 6px;
      }
      .quiet {
        color: var(--warm-good);
      }
      main {
        padding: 12px 20px;
        overflow-x: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        background: var(--warm-surface);
        border: 1px solid var(--warm-line);
      }
      th,
      td {
        text-align: start;
        padding: 8px 12px;
        border-bottom: 1px solid var(--warm-line);
        white-space: nowrap;
      }
      th {
        font-size: 12px;
        color: var(--warm-muted);
      }
      .number {
        font-variant-numeric: tabular-nums;
      }
      .urgent {
        background: var(--warm-bad-surface);
      }
      @media (max-width: 640px) {
        main {
          padding: 12px 0;
        }
        table {
          font-size: 12.5px;
        }
        .badge {
          padding: 1px 6px;
        }
        th,
        td {
          padding: 8px 4px;
        }
        td:first-child {
          white-space: normal;
          overflow-wrap: anywhere;
        }
        td:nth-child(2) {
          white-space: normal;
        }
        /* When it began, how long it took, whose it is: on the call's own page. */
        :is(th, td):is(:nth-child(3), :nth-child(4), :nth-child(8)) {
          display: none;
        }
      }
      .empty {
        text-align: center;
        padding: 15vh 20px;
        font-size: 16px;
      }
      .keys {
        padding: 0 20px 16px;
        font-size: 12.5px;
      }
    `,
  ];
}
