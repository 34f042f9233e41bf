// What stands beside the timeline of a customer: who they are, what they bought, what is open with them.

import { css, html, nothing as blank } from "lit";
import type { Clv, CustomerAlert, Preference, Profile, Tag, Texts, Told } from "./customer_types";
import type { CustomerWords } from "./customer_words";
import type { Words } from "./words";

/** Days and moments as a reader writes them. */
export class When {
  constructor(private readonly lang: string) {}

  day(at: string | null): string {
    return at === null ? "–" : new Intl.DateTimeFormat(this.lang, { dateStyle: "medium" }).format(new Date(at));
  }

  time(at: string): string {
    return new Intl.DateTimeFormat(this.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
  }

  hour(at: string): string {
    return new Intl.DateTimeFormat(this.lang, { timeStyle: "short" }).format(new Date(at));
  }

  /** A day of the calendar, which is the same everywhere. */
  date(on: string): string {
    return new Intl.DateTimeFormat(this.lang, { month: "long", day: "numeric", timeZone: "UTC" }).format(new Date(`${on}T00:00:00Z`));
  }

  money(value: string | number, currency: string): string {
    const shape: Intl.NumberFormatOptions = { style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: Number(value) >= 1_000 ? 0 : 2 };
    return currency ? new Intl.NumberFormat(this.lang, shape).format(Number(value)) : String(value);
  }
}

export function inWords(text: Texts | undefined, lang: string): string {
  const own = lang.startsWith("zh") ? "zh" : "en";
  return text?.[own] || text?.[own === "zh" ? "en" : "zh"] || "";
}

function row(name: string, value: unknown, testid = "") {
  return html`<dt>${name}</dt><dd data-testid=${testid || blank}>${value}</dd>`;
}

export function who(p: Profile, c: CustomerWords, when: When) {
  const more = Object.entries(p.attributes);
  const consents = Object.entries(p.consents);
  return html`<dl>
    ${row(c.ids, p.ids.length ? p.ids.join(", ") : p.customer_id, "ids")}
    ${p.region ? row(c.region, p.region) : blank} ${p.language ? row(c.language, language(p.language, c.lang)) : blank}
    ${p.joined_at ? row(c.joined, when.day(p.joined_at)) : blank}
    ${p.identities.length ? row(c.addresses, p.identities.map(([kind, value]) => html`<span class="line"><small class="muted">${c.kindsOfAddress[kind] ?? kind}</small> ${value}</span>`), "addresses") : blank}
    ${consents.length ? row(c.consents, consents.map(([purpose, granted]) => html`<span class=${`tag ${granted ? "yes" : "no"}`}>${granted ? "✓" : "✕"} ${c.purposes[purpose] ?? purpose}<span class="visually-hidden">: ${granted ? c.granted : c.refused}</span></span> `), "consents") : blank}
    ${prefers(p, c)} ${inWords(p.manner, c.lang) ? row(c.manner, inWords(p.manner, c.lang)) : blank}
  </dl>
  ${more.length ? html`<details><summary>${c.attributes} (${more.length})</summary><dl>${more.map(([name, value]) => row(name, value))}</dl></details>` : blank}`;
}

function language(tag: string, lang: string): string {
  try {
    return new Intl.DisplayNames([lang], { type: "language" }).of(tag) ?? tag;
  } catch {
    // Not a tag of BCP 47: as it was told.
    return tag;
  }
}

function prefers({ preferences: given }: Profile, c: CustomerWords) {
  if (!given) return blank;
  const found: [string, Preference, string][] = [];
  const add = (name: string, one: Preference | null | undefined, words: Record<string, string> = {}) => one && found.push([name, one, words[one.value] ?? one.value]);
  add(c.preferences.channel, given.channel, c.channels);
  add(c.preferences.part_of_day, given.part_of_day, c.partsOfDay);
  if (given.language) found.push([c.preferences.language, given.language, language(given.language.value, c.lang)]);
  for (const one of given.issues) add(c.preferences.issue, one);
  if (found.length === 0) return blank;
  return row(c.prefers, found.map(([name, one, value]) => html`<span class="line"><small class="muted">${name}</small> ${value} <small class="muted">(${one.source === "said" ? c.saidSo : c.shownBy(one.support, one.of)})</small></span>`), "preferences");
}

export function tags(p: Profile, c: CustomerWords, when: When, open: (tag: Tag) => void) {
  if (p.tags.length === 0) return html`<p class="muted">${c.noTags}</p>`;
  return html`<ul class="plain">${p.tags.map((tag) => {
    const name = inWords(tag.name, c.lang) || tag.id;
    const told = [tag.by !== "rule" ? c.setBy(tag.by) : "", tag.until ? c.until(when.day(tag.until)) : ""].filter(Boolean).join(" · ");
    return html`<li data-testid=${`tag-${tag.id}`}>
      <span class="tag strong">${name}</span> ${told ? html`<small class="muted">${told}</small>` : blank}
      ${tag.evidence.length ? html`<button class="link" data-testid="evidence" aria-haspopup="dialog" aria-label=${`${c.evidence(tag.evidence.length)}: ${name}`} @click=${() => open(tag)}>${c.evidence(tag.evidence.length)}</button>` : blank}
      ${inWords(tag.strategy, c.lang) ? html`<p class="small">${inWords(tag.strategy, c.lang)}</p>` : blank}
    </li>`;
  })}</ul>`;
}

/** An event as it was told, without what is only for machines. */
export function told(event: Told, w: Words, c: CustomerWords, when: When) {
  const left = new Set(["event", "event_id", "customer_id", "at", "lines", "attributes", "agitation", "valence"]);
  const known: Record<string, Record<string, string>> = { status: c.statuses, channel: c.channels, direction: c.directions, purpose: c.purposes, type: c.types, kind: c.kindsOfAddress };
  const value = (name: string, one: unknown): string => {
    if (typeof one === "boolean") return one ? c.yes : c.no;
    if (Array.isArray(one)) return one.map((each) => w.reasons[String(each)] ?? String(each)).join(", ");
    const text = String(one);
    return /^\d{4}-\d\d-\d\dT/.test(text) ? when.time(text) : (known[name]?.[text] ?? text);
  };
  const fields = Object.entries(event).filter(([name, one]) => !left.has(name) && one !== null && one !== "" && !(Array.isArray(one) && one.length === 0));
  const call = typeof event["call_id"] === "string" ? event["call_id"] : "";
  return html`<li data-testid="told">
    <b>${c.events[event.event] ?? event.event}</b> <span class="muted">${when.time(event.at)}</span>
    ${call ? html`<a href=${`/replay?call=${encodeURIComponent(call)}`}>${c.hear}</a>` : blank}
    <dl>${fields.map(([name, one]) => html`<dt>${c.eventFields[name] ?? name}</dt><dd>${value(name, one)}</dd>`)}</dl>
  </li>`;
}

export function segment(p: Profile, name: string, c: CustomerWords) {
  return html`<p class="big" data-testid="segment">${p.rfm === null && p.segment === "no_orders" ? (p.trade.orders ? c.notCounted : name) : name}</p>
    ${p.rfm
      ? html`<dl class="scores">${p.rfm.map((score, n) => html`<dt>${c.rfm[n]}</dt><dd><span class="visually-hidden">${c.ofFive(score)}</span><span class="dots" aria-hidden="true">${[1, 2, 3, 4, 5].map((k) => html`<i class=${k <= score ? "on" : ""}></i>`)}</span></dd>`)}</dl>`
      : blank}`;
}

export function worth(clv: Clv | undefined, c: CustomerWords, when: When) {
  if (!clv) return html`<p class="muted">${c.absent}</p>`;
  if (clv.margin === null) return html`<p class="muted" data-testid="worth-unknown">${c.noWorth[clv.why] ?? clv.why}</p>`;
  return html`<p class="big" data-testid="worth">${when.money(clv.margin, clv.currency)}</p>
    <p class="small muted">${c.worthIn(clv.weeks)}</p>
    ${clv.low !== null && clv.high !== null ? html`<p class="small" data-testid="worth-interval">${c.between(when.money(clv.low, clv.currency), when.money(clv.high, clv.currency))}</p>` : blank}
    ${clv.alive !== null ? html`<p class="small muted">${c.alive(Math.round(clv.alive * 100))}</p>` : blank}`;
}

export function trade({ trade: t, lapses_at, complaints }: Profile, c: CustomerWords, when: When) {
  return html`<p class="big">${when.money(t.value, t.currency)}</p>
    <p class="small muted">${c.orders(t.orders)}${t.average ? ` · ${c.average} ${when.money(t.average, t.currency)}` : ""}</p>
    ${t.last_at ? html`<p class="small">${c.lastOrder} ${when.day(t.last_at)}</p>` : blank}
    ${Object.entries(t.others).map(([currency, value]) => html`<p class="small">+ ${when.money(value, currency)}</p>`)}
    ${lapses_at ? html`<p class="small muted">${c.lapses(when.day(lapses_at))}</p>` : blank}
    ${complaints ? html`<p class="small level-watch">${c.complaints(complaints)}</p>` : blank}`;
}

export function cases(p: Profile, c: CustomerWords, when: When) {
  if (p.cases.length === 0) return html`<p class="muted">${c.noCases}</p>`;
  const inOrder = [...p.cases].sort((a, b) => Number(b.overdue) - Number(a.overdue) || a.opened_at.localeCompare(b.opened_at));
  return html`<ul class="plain">${inOrder.map((one) => html`<li data-testid="case">
      <b>${one.issue || (c.types[one.type] ?? one.type)}</b> <small class="muted">${one.case_id}${one.issue ? ` · ${c.types[one.type] ?? one.type}` : ""} · ${c.opened(when.day(one.opened_at))}</small>
      ${one.promised_by ? html`<p class=${`small ${one.overdue ? "level-critical" : ""}`}>${one.overdue ? html`<b>${c.overdue}</b> · ` : blank}${c.promised(when.time(one.promised_by))}</p>` : blank}
    </li>`)}</ul>`;
}

export function likely(p: Profile, c: CustomerWords) {
  if (p.reasons.length === 0) return blank;
  return html`<section class="card"><h2>${c.likely}</h2><ul class="plain">${p.reasons.map((one) => html`<li data-testid="likely">${inWords(one.text, c.lang)} <small class="muted">${Math.round(one.probability * 100)} %</small></li>`)}</ul></section>`;
}

export function days(p: Profile, c: CustomerWords, when: When) {
  if (p.days.length === 0) return html`<p class="muted">${c.noDays}</p>`;
  return html`<ul class="plain">${p.days.map((one) => html`<li data-testid="day"><b>${one.kind === "own" ? one.id : inWords(one.names, c.lang)}</b> <small class="muted">${when.date(one.on)} · ${one.in_days === 0 ? c.today : c.inDays(one.in_days)}</small><p class="small">${inWords(one.greeting, c.lang)}</p></li>`)}</ul>`;
}

export function alert(a: CustomerAlert, w: Words, c: CustomerWords, when: When, act: ((what: "acknowledge" | "close") => void) | null) {
  return html`<section class=${`card alert ${a.state === "closed" ? "closed" : ""}`} data-testid="alert" aria-live="polite">
    <p><b>${c.alert}</b> <span class=${`badge level-${a.level}`}>${w.levels[a.level]}</span> ${c.alertStates[a.state] ?? a.state} <span class="muted">${a.by ? `${a.by} · ` : ""}${when.time(a.opened_at)}${a.due_at && a.state === "open" ? ` · ${c.dueAt(when.time(a.due_at))}` : ""}</span></p>
    ${a.reasons.length ? html`<p class="small">${a.reasons.map((r) => w.reasons[r] ?? c.riskNames[r] ?? r).join(", ")}</p>` : blank}
    ${act && a.state !== "closed" ? html`<p>${a.state === "open" ? html`<button class="main" data-testid="alert-take" @click=${() => act("acknowledge")}>${c.take}</button>` : blank} <button data-testid="alert-close" @click=${() => act("close")}>${c.settle}</button></p>` : blank}
  </section>`;
}

export const partsStyle = css`
  .card {
    background: var(--warm-surface);
    border: 1px solid var(--warm-line);
    border-radius: 8px;
    padding: 12px 14px;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  h2 {
    font-size: 12.5px;
    color: var(--warm-muted);
    margin-bottom: 6px;
  }
  .card.alert {
    border-inline-start: 5px solid var(--warm-bad);
    background: var(--warm-bad-surface);
  }
  .card.alert p + p {
    margin-top: 6px;
  }
  .card.alert.closed {
    border-inline-start-color: var(--warm-line);
    background: var(--warm-surface);
  }
  .big {
    font-size: 18px;
    font-weight: 600;
    line-height: 1.3;
  }
  .small {
    font-size: 12.5px;
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 4px 12px;
    margin: 0;
  }
  dt {
    color: var(--warm-muted);
    font-size: 12.5px;
    padding-top: 1px;
  }
  dd {
    margin: 0;
  }
  .line {
    display: block;
  }
  .tag {
    display: inline-block;
    margin-bottom: 2px;
  }
  .tag.strong {
    font-weight: 600;
    font-size: 12.5px;
    border-color: currentColor;
  }
  .tag.no {
    border-style: dashed;
    color: var(--warm-watch);
  }
  ul.plain,
  ol.plain {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  ul.plain > li + li {
    margin-top: 8px;
  }
  details {
    margin-top: 8px;
  }
  summary {
    cursor: pointer;
    min-height: 24px;
    color: var(--warm-muted);
    font-size: 12.5px;
  }
  button.link {
    border: 0;
    background: none;
    color: var(--warm-accent);
    padding: 0 4px;
    min-height: 24px;
    font-weight: 600;
    font-size: 12.5px;
  }
  .scores {
    margin-top: 6px;
    gap: 1px 10px;
  }
  .dots {
    display: inline-flex;
    gap: 3px;
  }
  .dots i {
    width: 9px;
    height: 9px;
    border-radius: 50%;
    border: 1px solid var(--warm-muted);
  }
  .dots i.on {
    background: var(--warm-accent);
    border-color: var(--warm-accent);
  }
`;
