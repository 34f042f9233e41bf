// The shapes of agent_assist/types.py and models/types.py, as they travel.

import type { CustomerAlert } from "./customer_types";
import type { Mark } from "./marked";

export type Channel = "customer" | "agent";
export type Label = "neutral" | "satisfied" | "angry" | "anxious" | "disappointed" | "unknown";
export type Level = "none" | "watch" | "elevated" | "critical" | "unknown";
export type Status = "live" | "ended" | "lost";
export type Action = "used" | "dismissed" | "up" | "down";

export interface Emotion {
  label: Label;
  valence: number | null;
  arousal: number | null;
  agitation: number | null;
  confidence: number;
}

export interface Utterance {
  id: string;
  channel: Channel;
  start_ms: number;
  end_ms: number;
  text: string;
  language: string;
  confidence: number;
  sentiment: number | null;
  emotion: Emotion | null;
}

export interface Partial {
  utterance_id: string;
  channel: Channel;
  revision: number;
  start_ms: number;
  end_ms: number;
  text: string;
  /** Characters of the text that no later partial changes. */
  committed: number;
  language: string;
  /** Of the customer, in its last seconds. */
  emotion?: Emotion | null;
}

export interface Card {
  id: string;
  rule: string;
  kind: "card" | "tick" | "alert" | "task";
  title: string;
  text: string;
  at_ms: number;
  utterance_id: string;
  priority: number;
  reason: string;
  trigger?: string[];
  source?: string;
  /** Of what is not final yet. */
  provisional?: boolean;
}

export interface Risk {
  score: number | null;
  level: Level;
  reasons: { name: string; contribution: number }[];
  model_version: string;
}

export interface SpeakerMeasures {
  talk_ms: number;
  talk_share: number | null;
  interruptions: number;
  words_per_minute: number | null;
  characters_per_minute: number | null;
  loudness_dbfs: number | null;
}

export interface Measures {
  customer: SpeakerMeasures;
  agent: SpeakerMeasures;
  talk_ms: number;
  non_talk_ms: number;
  overtalk_ms: number;
  interruptions: number;
  hold_ms?: number;
  holds?: number;
}

/** The smoothed curve of the customer's mood at the end of one of their utterances. */
export interface CurvePoint {
  utterance_id: string;
  at_ms: number;
  /** -5 ... +5. */
  score: number | null;
  trend: "rising" | "steady" | "falling";
  arousal: number | null;
  agitation: number | null;
}

export type Cause = "hold" | "silence" | "overtalk" | "agent" | "topic" | "unknown";

/** A turning point of the mood. */
export interface Turn {
  start_ms: number;
  at_ms: number;
  direction: "better" | "worse";
  /** Change of the score's level. */
  size: number | null;
  agitation: number | null;
  cause: Cause;
  before: { agent_from_ms: number | null; agent_to_ms: number | null; silence_ms: number; overtalk_ms: number; hold_ms: number; topic: string };
}

/** What of a desk is told about a call. */
export interface Acknowledged {
  card_id: string;
  by: string;
  at: string;
}

export interface Asked {
  id: string;
  question: string;
  by: string;
  at: string;
}

export interface Whisper {
  id: string;
  text: string;
  by: string;
  at: string;
  answers: string | null;
}

export type Role = "agent" | "senior" | "expert" | "supervisor" | "qa" | "admin";

export interface Me {
  role: Role;
  name: string;
  expires_at: number | null;
}

export interface Peaks {
  duration_ms: number;
  every_ms: number;
  /** 0 ... 127. */
  customer: number[];
  agent: number[];
}

export interface Replayed {
  same: Card[];
  changed: [Card, Card][];
  missing: Card[];
  added: Card[];
  failed: string[];
}

export interface Clip {
  id: string;
  call_id: string;
  start_ms: number;
  end_ms: number;
  title: string;
  note: string;
  tags: string[];
  by: string;
  at: string;
}

export interface Hit {
  utterance_id: string;
  channel: Channel;
  start_ms: number;
  text: string;
}

export interface FoundCall {
  call: CallSummary;
  hits: Hit[];
}

export interface Feedback {
  card_id: string;
  action: Action;
}

/** Keys pressed on the telephone; `keys` is empty where they may be a secret. */
export interface Keys {
  id: string;
  channel: Channel;
  start_ms: number;
  end_ms: number;
  keys: string;
  count: number;
}

export interface Degraded {
  at_ms: number;
  stage: string;
  reason: string;
  /** It works again. */
  over: boolean;
}

/** A passage of the knowledge base that fits what is being said. */
export interface Suggestion {
  id: string;
  at_ms: number;
  key: string;
  kind: string;
  title: string;
  heading: string;
  passage: string;
  marks: Mark[];
  source: string;
  version: number;
  score: number;
  reason: string;
  trigger: string[];
  language: string;
}

/** What is known already and need not be asked again. */
export interface Hint {
  id: string;
  at_ms: number;
  fields: string[];
  text: string;
  language: string;
}

/** A pause is offered to the agent; in no record. */
export interface Break {
  id: string;
  text: string;
  exposure_ms: number;
  language: string;
}

export interface FlowStep {
  id: string;
  title: string;
  state: "open" | "done" | "skipped" | "waived";
  optional: boolean;
  branch: string;
  at_ms: number | null;
  out_of_order: boolean;
}

/** The steps of the service, as far as the call has come. */
export interface Flow {
  at_ms: number;
  title: string;
  language: string;
  steps: FlowStep[];
  current: string | null;
  branches: { id: string; title: string; reason: string }[];
  adherence: number | null;
  over: boolean;
}

export interface Compensation {
  id: string;
  call_id: string;
  customer_id: string | null;
  kind: string;
  amount: string;
  currency: string;
  reason: string;
  state: "granted" | "pending" | "refused" | "approved" | "denied";
  rule: string;
  /** The same in Chinese; empty of old entries. */
  rule_zh?: string;
  asked_by: string;
  asked_at: string;
  decided_by: string;
  note: string;
}

export interface Task {
  id: string;
  call_id: string | null;
  customer_name: string | null;
  agent_id: string | null;
  team: string;
  title: string;
  text: string;
  due_at: string | null;
  state: "open" | "done" | "cancelled";
  version: number;
}

export interface Synopsis {
  at_ms: number;
  language: string;
  sentences: { part: string; text: string; utterance_ids: string[] }[];
  text: string;
  over: boolean;
}

export interface SynopsisEdit {
  text: string;
  at: string;
  by: string;
}

/** An event on which a tag rests. */
export interface Proof {
  event_id: string;
  at: string;
  what: "order" | "case" | "complaint" | "contact" | "call";
  line: string;
}

export type Said = { zh?: string; en?: string };

export interface CallerTag {
  id: string;
  name: Said;
  strategy: Said;
  because: Proof[];
  /** Events beside those. */
  more: number;
  until: string | null;
}

export interface Preference {
  value: string;
  source: "said" | "shown";
  support: number;
  of: number;
}

/** Who is on a call, as known by now. */
export interface Caller {
  at: string;
  customer_id: string | null;
  name: string;
  attributes: Record<string, string>;
  tags: CallerTag[];
  reasons: { reason: string; probability: number; text: Said; evidence: string[] }[];
  contacts: { at: string; channel: string; direction: string; issue: string; line: string; solved: boolean | null; agent_id: string | null; complaint: boolean; call_id: string | null }[];
  preferences: { channel: Preference | null; part_of_day: Preference | null; language: Preference | null; issues: Preference[] };
  manner: Said;
  days: { on: string; in_days: number; names: Said; greeting: Said }[];
}

/** A customer to whom the number belongs. */
export interface Candidate {
  customer_id: string;
  name: string;
  tier: string;
  region: string;
  last_contact: string | null;
  last_issue: string;
}

export interface CallRecord {
  call_id: string;
  duration_ms: number;
  utterances: Utterance[];
  cards: Card[];
  risk: Risk;
  measures: Measures;
  status: Status;
  started_at: string | null;
  customer_id: string | null;
  customer_name: string | null;
  agent_id: string | null;
  queue: string | null;
  feedback: Feedback[];
  degraded: Degraded[];
  keys: Keys[];
  curve: CurvePoint[];
  turns: Turn[];
  acknowledged: Acknowledged[];
  asked: Asked[];
  whispers: Whisper[];
  partials?: Partial[];
  attributes?: Record<string, string>;
  caller?: Caller | null;
  synopsis?: Synopsis | null;
  synopsis_edits?: SynopsisEdit[];
  articles?: Suggestion[];
  hints?: Hint[];
  flow?: Flow | null;
  compensations?: Compensation[];
}

export interface CallSummary {
  call_id: string;
  started_at: string;
  status: Status;
  duration_ms: number;
  customer_id: string | null;
  customer_name: string | null;
  agent_id: string | null;
  queue: string | null;
  utterances: number;
  alerts: number;
  risk: Risk;
  emotion: Label;
  open_alerts: number;
  /** Why the last of these was raised. */
  alert: string;
  questions: number;
}

export type Message = { seq: number; epoch: string } & (
  | { kind: "snapshot"; data: CallRecord }
  | { kind: "started"; data: CallRecord & { at: string } }
  | { kind: "known"; data: { caller: Caller } }
  | { kind: "partial"; data: Partial }
  | { kind: "final"; data: { utterance: Utterance } }
  | { kind: "keys"; data: Keys }
  | { kind: "degraded"; data: Degraded }
  | { kind: "ended"; data: { duration_ms: number; reason: string } }
  | { kind: "card"; data: Card }
  | { kind: "withdrawn"; data: { card_id: string } }
  | { kind: "risk"; data: { risk: Risk } }
  | { kind: "measures"; data: { measures: Measures } }
  | { kind: "mood"; data: { point: CurvePoint; turns: Turn[] } }
  | { kind: "feedback"; data: Feedback }
  | { kind: "acknowledged"; data: Acknowledged }
  | { kind: "asked"; data: Asked }
  | { kind: "whisper"; data: Whisper }
  | { kind: "synopsis"; data: Synopsis }
  | { kind: "synopsis_edit"; data: SynopsisEdit }
  | { kind: "article"; data: Suggestion }
  | { kind: "hint"; data: Hint }
  | { kind: "break"; data: Break }
  | { kind: "flow"; data: Flow }
  | { kind: "compensation"; data: Compensation }
  | { kind: "calls"; data: CallSummary[] }
  | { kind: "call"; data: CallSummary }
  | { kind: "alert"; data: { alert: CustomerAlert } }
  | { kind: "waiting" | "ping"; data?: undefined }
);
