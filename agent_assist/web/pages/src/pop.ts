// Who is calling, as the telephone side and earlier calls tell: tier, tags, why they probably call, what the bot got.

import { html, nothing as blank } from "lit";
import type { Gateway } from "./client";
import type { DeskWords } from "./desk_words";
import type { CallRecord, CallSummary } from "./types";
import { type Words, clock } from "./words";

/** Tags as they stand in one attribute. */
export function tags(text: string | undefined): string[] {
  return (text ?? "").split(/[,,;、]/).map((tag) => tag.trim()).filter(Boolean);
}

/** Below the name in the header. */
export function badges(record: CallRecord) {
  const given = record.attributes ?? {};
  const tier = given["customer_tier"];
  const named = tags(given["customer_tags"]).slice(0, 4);
  if (!tier && named.length === 0) return blank;
  return html`<span class="badges">${tier ? html`<span class="tier" data-testid="tier">${tier}</span>` : blank} ${named.map((tag) => html`<span class="tag" data-testid="tag">${tag}</span> `)}</span>`;
}

/** What is worth a glance before the first word; open until the customer has spoken, and whenever the agent wants. */
export function pop(record: CallRecord, contacts: CallSummary[] | null, gateway: Gateway, d: DeskWords, w: Words) {
  const given = record.attributes ?? {};
  const reason = given["likely_reason"];
  const [bot, failed] = [given["bot_summary"], given["bot_failed_step"]];
  const log = (given["bot_log"] ?? "").split("\n").filter(Boolean);
  const [point, greeting, several] = [given["talking_point"], given["greeting"], tags(given["customers_of_phone"])];
  if (!reason && !bot && !failed && !log.length && !point && !greeting && !several.length && !contacts?.length) return blank;
  // Another tab has its own memory, so the token goes with the link, where no server sees it.
  const replay = (call: string) => `${gateway.server}/replay?call=${encodeURIComponent(call)}#token=${encodeURIComponent(gateway.token)}`;
  const time = (at: string) => new Intl.DateTimeFormat(w.lang, { dateStyle: "short" }).format(new Date(at));
  const fresh = !record.utterances.some((u) => u.channel === "customer") && record.status === "live";
  return html`<details class="pop" data-testid="pop" ?open=${fresh}>
    <summary>${d.customer}${reason ? html` · <span class="muted">${reason}</span>` : blank}</summary>
    <dl>
      ${reason ? html`<dt>${d.reason}</dt><dd data-testid="likely-reason">${reason}${given["likely_reason_evidence"] ? html` <small class="muted">${given["likely_reason_evidence"]}</small>` : blank}</dd>` : blank}
      ${several.length ? html`<dt>${d.several}</dt><dd data-testid="several">${several.join(", ")}</dd>` : blank}
      ${greeting ? html`<dt>${d.greeting}</dt><dd data-testid="greeting">${greeting}</dd>` : blank}
      ${point ? html`<dt>${d.talkingPoint}</dt><dd data-testid="talking-point">${point}</dd>` : blank}
      ${bot ? html`<dt>${d.bot}</dt><dd data-testid="bot-summary">${bot}</dd>` : blank}
      ${failed ? html`<dt>${d.botFailed}</dt><dd class="level-watch" data-testid="bot-failed"><b>${failed}</b></dd>` : blank}
      ${log.length ? html`<dt>${d.botLog}</dt><dd data-testid="bot-log">${log.map((line) => html`<span class=${line.includes("✗") ? "level-watch" : "muted"}>${line}</span><br />`)}</dd>` : blank}
      ${contacts?.length ? html`<dt>${d.lastContacts}</dt><dd>${contacts.map((c) => html`<a href=${replay(c.call_id)} target="_blank" rel="noopener" data-testid="contact">${time(c.started_at)}</a> <span class=${`emotion-${c.emotion}`}>${w.labels[c.emotion]}</span> <span class="muted">${clock(c.duration_ms)}${c.agent_id ? ` · ${c.agent_id}` : ""}</span><br />`)}</dd>` : blank}
    </dl>
  </details>`;
}
