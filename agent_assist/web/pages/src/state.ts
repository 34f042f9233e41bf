// What a page knows of a call: a pure fold of the live channel's messages. Everything is kept by id, so that what comes
// twice shows once.

import type { Break, CallRecord, Caller, Message, Partial } from "./types";

export interface CallView {
  record: CallRecord | null;
  partials: Map<string, Partial>;
  epoch: string;
  seq: number;
  waiting: boolean;
  /** A pause that is offered; it outlasts the call that gave rise to it. */
  pause: Break | null;
}

export const nothing: CallView = { record: null, partials: new Map(), epoch: "", seq: 0, waiting: false, pause: null };

/** The list with the item in the place of the one of its id, or at the end. */
function put<T extends { id: string }>(list: T[] | undefined, item: T): T[] {
  const others = list ?? [];
  return others.some((one) => one.id === item.id) ? others.map((one) => (one.id === item.id ? item : one)) : [...others, item];
}

/** With what is known of the customer by now; what the telephone side told comes before it, and an older look changes nothing. */
function known(record: CallRecord, caller: Caller): CallRecord {
  const before = record.caller ?? null;
  if (before !== null && Date.parse(caller.at) < Date.parse(before.at)) return record;
  const given = Object.fromEntries(Object.entries(record.attributes ?? {}).filter(([name]) => !(name in (before?.attributes ?? {}))));
  const ours = Object.fromEntries(Object.entries(caller.attributes).filter(([name]) => !(name in given)));
  return {
    ...record,
    caller: { ...caller, attributes: ours },
    attributes: { ...ours, ...given },
    customer_id: record.customer_id ?? caller.customer_id,
    customer_name: record.customer_name ?? (caller.name || null),
  };
}

export function apply(view: CallView, message: Message): CallView {
  if (message.kind === "ping") return view;
  if (message.kind === "waiting") return { ...nothing, waiting: true, epoch: message.epoch ?? "", pause: view.pause };
  const seen = { ...view, epoch: message.epoch ?? "", seq: message.seq ?? view.seq, waiting: false };
  if (message.kind === "snapshot") {
    const partials = new Map((message.data.partials ?? []).map((p) => [p.utterance_id, p]));
    return { ...seen, record: message.data, partials };
  }
  if (message.kind === "break") return { ...seen, pause: message.data };
  const record = seen.record;
  if (record === null) return seen;
  switch (message.kind) {
    case "started": {
      const { at, customer_id, customer_name, agent_id, queue, attributes, caller } = message.data;
      return { ...seen, record: { ...record, started_at: at, customer_id, customer_name, agent_id, queue, attributes: attributes ?? {}, caller: caller ?? null } };
    }
    case "known":
      return { ...seen, record: known(record, message.data.caller) };
    case "partial": {
      const { utterance_id: id, revision, end_ms, text } = message.data;
      const known = seen.partials.get(id);
      // A worker that takes the call over counts revisions anew, so the one that has heard more counts as well.
      const old = known !== undefined && known.revision >= revision && known.end_ms >= end_ms;
      if (old || record.utterances.some((u) => u.id === id)) return seen;
      const partials = new Map(seen.partials);
      if (text === "") partials.delete(id);
      else partials.set(id, message.data);
      return { ...seen, partials };
    }
    case "final": {
      const { utterance } = message.data;
      const partials = new Map(seen.partials);
      partials.delete(utterance.id);
      // What was still partial on this channel before has been replaced or came to nothing.
      for (const [id, p] of partials) {
        if (p.channel === utterance.channel && p.start_ms <= utterance.start_ms) partials.delete(id);
      }
      const others = record.utterances.filter((u) => u.id !== utterance.id);
      const utterances = [...others, utterance].sort((a, b) => a.start_ms - b.start_ms);
      const duration_ms = Math.max(record.duration_ms, utterance.end_ms);
      return { ...seen, partials, record: { ...record, utterances, duration_ms } };
    }
    case "card": {
      const known = record.cards.find((c) => c.id === message.data.id);
      // What is confirmed stays so: a worker that takes the call over may tell what was provisional again.
      if (known !== undefined && !known.provisional && message.data.provisional) return seen;
      const cards = [...record.cards.filter((c) => c.id !== message.data.id), message.data];
      return { ...seen, record: { ...record, cards } };
    }
    case "withdrawn": {
      const cards = record.cards.filter((c) => c.id !== message.data.card_id || !c.provisional);
      return { ...seen, record: { ...record, cards } };
    }
    case "risk":
      return { ...seen, record: { ...record, risk: message.data.risk } };
    case "measures":
      return { ...seen, record: { ...record, measures: message.data.measures } };
    case "mood": {
      const { point, turns } = message.data;
      const others = record.curve.filter((p) => p.utterance_id !== point.utterance_id);
      const curve = [...others, point].sort((a, b) => a.at_ms - b.at_ms);
      return { ...seen, record: { ...record, curve, turns } };
    }
    case "feedback":
      return { ...seen, record: { ...record, feedback: [...record.feedback, message.data] } };
    case "acknowledged":
      return { ...seen, record: { ...record, acknowledged: [...record.acknowledged.filter((a) => a.card_id !== message.data.card_id), message.data] } };
    case "asked":
      return { ...seen, record: { ...record, asked: [...record.asked.filter((a) => a.id !== message.data.id), message.data] } };
    case "whisper":
      return { ...seen, record: { ...record, whispers: [...record.whispers.filter((w) => w.id !== message.data.id), message.data] } };
    case "keys": {
      const keys = [...record.keys.filter((k) => k.id !== message.data.id), message.data];
      return { ...seen, record: { ...record, keys } };
    }
    case "synopsis":
      return record.synopsis && record.synopsis.at_ms > message.data.at_ms ? seen : { ...seen, record: { ...record, synopsis: message.data } };
    case "synopsis_edit": {
      const edits = (record.synopsis_edits ?? []).filter((e) => e.at !== message.data.at);
      return { ...seen, record: { ...record, synopsis_edits: [...edits, message.data].sort((a, b) => a.at.localeCompare(b.at)) } };
    }
    case "article":
      // The first of an id stays.
      return record.articles?.some((a) => a.id === message.data.id) ? seen : { ...seen, record: { ...record, articles: put(record.articles, message.data) } };
    case "hint":
      return { ...seen, record: { ...record, hints: put(record.hints, message.data) } };
    case "flow":
      return record.flow && record.flow.at_ms > message.data.at_ms ? seen : { ...seen, record: { ...record, flow: message.data } };
    case "compensation":
      return { ...seen, record: { ...record, compensations: put(record.compensations, message.data) } };
    case "degraded":
      return { ...seen, record: { ...record, degraded: [...record.degraded, message.data] } };
    case "ended": {
      const status = message.data.reason === "lost" ? "lost" : "ended";
      const duration_ms = message.data.duration_ms;
      return { ...seen, partials: new Map(), record: { ...record, status, duration_ms } };
    }
    default:
      return seen;
  }
}
