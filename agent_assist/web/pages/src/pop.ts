// Who is calling, as the customer's profile, the telephone side and earlier calls tell: tier, tags and what they rest on, why they
// probably call, their last contacts, what they prefer. It follows what becomes known while the call runs.

import { type TemplateResult, html, nothing as blank } from "lit";
import type { Gateway } from "./client";
import type { DeskWords } from "./desk_words";
import type { CallRecord, CallSummary, Caller, CallerTag, Preference, Said } from "./types";
import { type Words, clock } from "./words";

/** Tags as they stand in one attribute. */
export function tags(text: string | undefined): string[] {
  return (text ?? "").split(/[,,;、]/).map((tag) => tag.trim()).filter(Boolean);
}

/** A text in the language of the page, or else in the other. */
export function say(text: Said, lang: string): string {
  return (lang.startsWith("zh") ? (text.zh ?? text.en) : (text.en ?? text.zh)) ?? "";
}

const day = (at: string, lang: string) => new Intl.DateTimeFormat(lang, { dateStyle: "short" }).format(new Date(at));

/** Below the name in the header. What is new in it is read out when there is time. */
export function badges(record: CallRecord, d: DeskWords) {
  const given = record.attributes ?? {};
  const tier = given["customer_tier"];
  const told = record.caller?.tags ?? [];
  const named = told.length ? [] : tags(given["customer_tags"]).slice(0, 4);
  return html`<span class="badges" aria-live="polite" aria-relevant="additions">${tier ? html`<span class="tier" data-testid="tier">${tier}</span>` : blank}${named.map((tag) => html`<span class="tag" data-testid="tag">${tag}</span>`)}${told.map((tag) => because(tag, d))}</span>`;
}

/** A tag that says, when asked, what is to be done and what it rests on. */
function because(tag: CallerTag, d: DeskWords) {
  const name = say(tag.name, d.lang) || tag.id;
  const strategy = say(tag.strategy, d.lang);
  if (!strategy && tag.because.length === 0) return html`<span class="tag" data-testid="tag" data-tag=${tag.id}>${name}</span>`;
  return html`<details class="tag" data-testid="tag" data-tag=${tag.id}>
    <summary>${name}</summary>
    <div>
      ${strategy ? html`<p>${d.strategy}: ${strategy}</p>` : blank}
      <ul data-testid="proofs">
        ${tag.because.map((p) => html`<li>${day(p.at, d.lang)} ${d.proofs[p.what] ?? p.what} <span class="muted">${p.what === "call" ? "" : p.line}</span></li>`)}
        ${tag.more ? html`<li class="muted">${d.moreProofs(tag.more)}</li>` : blank}
      </ul>
      ${tag.until ? html`<p class="muted">${d.until(day(tag.until, d.lang))}</p>` : blank}
    </div>
  </details>`;
}

/** What is worth a glance before the first word; open until the customer has spoken, and whenever the agent wants. */
export function pop(record: CallRecord, calls: CallSummary[] | null, gateway: Gateway, d: DeskWords, w: Words) {
  const given = record.attributes ?? {};
  const caller = record.caller ?? null;
  const [reason, bot, failed, point, greeting] = ["likely_reason", "bot_summary", "bot_failed_step", "talking_point", "greeting"].map((name) => given[name]);
  const log = (given["bot_log"] ?? "").split("\n").filter(Boolean);
  const stranger = Boolean(given["phone"]) && !record.customer_id && !record.customer_name && !given["customers_of_phone"];
  const rows = [...(caller === null ? [] : known(caller, gateway, d)), ...(caller?.contacts.length || !calls?.length ? [] : [earlier(calls, gateway, d, w)])];
  if (!reason && !bot && !failed && !log.length && !point && !greeting && !stranger && rows.length === 0) return blank;
  const fresh = !record.utterances.some((u) => u.channel === "customer") && record.status === "live";
  return html`<details class="pop" data-testid="pop" ?open=${fresh}>
    <summary>${d.customer}${reason ? html` · <span class="muted">${reason}</span>` : blank}</summary>
    <dl>
      ${stranger ? html`<dt>${d.customer}</dt><dd data-testid="stranger">${d.stranger}</dd>` : blank}
      ${reason ? html`<dt>${d.reason}</dt><dd data-testid="likely-reason">${reason}${given["likely_reason_evidence"] ? html` <small class="muted">${given["likely_reason_evidence"]}</small>` : blank}${others(caller, d)}</dd>` : blank}
      ${greeting ? html`<dt>${d.greeting}</dt><dd data-testid="greeting">${greeting}</dd>` : blank}
      ${point ? html`<dt>${d.talkingPoint}</dt><dd data-testid="talking-point">${point}</dd>` : blank}
      ${bot ? html`<dt>${d.bot}</dt><dd data-testid="bot-summary">${bot}</dd>` : blank}
      ${failed ? html`<dt>${d.botFailed}</dt><dd class="level-watch" data-testid="bot-failed"><b>${failed}</b></dd>` : blank}
      ${log.length ? html`<dt>${d.botLog}</dt><dd data-testid="bot-log">${log.map((line) => html`<span class=${line.includes("✗") ? "level-watch" : "muted"}>${line}</span><br />`)}</dd>` : blank}
      ${rows}
    </dl>
  </details>`;
}

/** Other reasons that are likely, after the first. */
function others(caller: Caller | null, d: DeskWords) {
  const less = (caller?.reasons ?? []).slice(1);
  return less.map((r) => html`<br /><span class="muted" data-testid="less-likely">${say(r.text, d.lang)} ${Math.round(100 * r.probability)}%</span>`);
}

// Another tab has its own memory, so the token goes with the link, where no server sees it.
const replay = (gateway: Gateway, call: string) => `${gateway.server}/replay?call=${encodeURIComponent(call)}#token=${encodeURIComponent(gateway.token)}`;

function known(caller: Caller, gateway: Gateway, d: DeskWords): TemplateResult[] {
  const rows: TemplateResult[] = [];
  const { contacts, preferences, days } = caller;
  if (contacts.length) {
    rows.push(html`<dt>${d.lastContacts}</dt><dd>${contacts.map((c) => html`<div class="contact" data-testid="contact-line">
      ${c.call_id ? html`<a href=${replay(gateway, c.call_id)} target="_blank" rel="noopener" data-testid="contact">${day(c.at, d.lang)}</a>` : day(c.at, d.lang)}
      ${d.prefersValues[c.channel] ?? c.channel}${c.complaint ? html` <b>${d.complained}</b>` : blank}${c.solved === false ? html` <b>${d.unsolved}</b>` : blank} ${c.issue} <span class="muted" title=${c.line}>${c.line}</span>
    </div>`)}</dd>`);
  }
  const preferred = [preferences.channel, preferences.part_of_day, preferences.language, ...preferences.issues].filter((p): p is Preference => p !== null);
  if (preferred.length) rows.push(html`<dt>${d.prefers}</dt><dd data-testid="preferences">${preferred.map((p, n) => html`${n ? " · " : ""}${d.prefersValues[p.value] ?? p.value} <small class="muted">${p.source === "said" ? d.asTold : d.support(p.support, p.of)}</small>`)}</dd>`);
  const manner = say(caller.manner, d.lang);
  if (manner) rows.push(html`<dt>${d.manner}</dt><dd data-testid="manner">${manner}</dd>`);
  if (days.length) rows.push(html`<dt>${d.days}</dt><dd data-testid="days">${days.map((t, n) => html`${n ? " · " : ""}${say(t.names, d.lang)} <small class="muted">${t.in_days === 0 ? d.today : d.inDays(t.in_days)}</small>`)}</dd>`);
  return rows;
}

/** Calls before this one, of a customer without a profile. */
function earlier(calls: CallSummary[], gateway: Gateway, d: DeskWords, w: Words): TemplateResult {
  return html`<dt>${d.lastContacts}</dt><dd>${calls.map((c) => html`<a href=${replay(gateway, c.call_id)} target="_blank" rel="noopener" data-testid="contact">${day(c.started_at, d.lang)}</a> <span class=${`emotion-${c.emotion}`}>${w.labels[c.emotion]}</span> <span class="muted">${clock(c.duration_ms)}${c.agent_id ? ` · ${c.agent_id}` : ""}</span><br />`)}</dd>`;
}
/** The customer's page, in another tab, which has its own memory: so the token goes with the link, where no server sees it. */
export const customerLink = (gateway: Gateway, id: string) => `${gateway.server}/customer?${new URLSearchParams({ id }).toString()}#token=${encodeURIComponent(gateway.token)}`;
