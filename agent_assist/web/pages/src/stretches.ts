// What of a call is no word: silences of both, and where both speak at once. Pure.

import type { Channel, Utterance } from "./types";

export interface Stretch {
  start_ms: number;
  end_ms: number;
}

/** A mutual silence counts when it is longer, as in agent_assist/call/measures.py. */
export const SILENCE_MS = 3_000;
/** An overlap counts when it is at least so long. */
export const OVERLAP_MS = 300;

/** Silences of both speakers, by time; the one before the first word and after the last as well. */
export function silences(utterances: Utterance[], durationMs: number): Stretch[] {
  const found: Stretch[] = [];
  let until = 0;
  for (const { start_ms, end_ms } of [...utterances].sort((a, b) => a.start_ms - b.start_ms)) {
    if (start_ms - until > SILENCE_MS) found.push({ start_ms: until, end_ms: start_ms });
    until = Math.max(until, end_ms);
  }
  if (durationMs - until > SILENCE_MS) found.push({ start_ms: until, end_ms: durationMs });
  return found;
}

/** Where an utterance of one side overlaps one of the other, by time. */
export function overlaps(utterances: Utterance[]): Stretch[] {
  const found: Stretch[] = [];
  const of = (who: Channel) => utterances.filter((u) => u.channel === who).sort((a, b) => a.start_ms - b.start_ms);
  const agent = of("agent");
  let from = 0;
  for (const c of of("customer")) {
    while ((agent[from]?.end_ms ?? Infinity) <= c.start_ms) from += 1;
    for (const a of agent.slice(from)) {
      if (a.start_ms >= c.end_ms) break;
      const start_ms = Math.max(c.start_ms, a.start_ms);
      const end_ms = Math.min(c.end_ms, a.end_ms);
      if (end_ms - start_ms >= OVERLAP_MS) found.push({ start_ms, end_ms });
    }
  }
  return found;
}

/** The one that is heard at a time, else the last that was; -1 before the first. Utterances by start. */
export function heardAt(utterances: Utterance[], ms: number): number {
  let low = 0;
  let high = utterances.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((utterances[middle]?.start_ms ?? Infinity) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
