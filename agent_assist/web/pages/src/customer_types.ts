// What is known of customers, as in agent_assist/customer/*.py and agent_assist/web/{customers,segments}.py.

import type { Level, Risk } from "./types";

export type Texts = { zh?: string; en?: string };

export interface Tag {
  id: string;
  name: Texts;
  strategy: Texts;
  /** Ids of events. */
  evidence: string[];
  since: string | null;
  until: string | null;
  by: string;
}

export interface Preference {
  value: string;
  source: "said" | "shown";
  support: number;
  of: number;
}

export interface Clv {
  margin: number | null;
  low: number | null;
  high: number | null;
  weeks: number;
  currency: string;
  alive: number | null;
  why: string;
}

/** A customer at a time. What newer gateways tell may be absent of older ones. */
export interface Profile {
  customer_id: string;
  at: string;
  ids: string[];
  name: string;
  region: string;
  language: string;
  tier: string;
  joined_at: string | null;
  identities: [string, string][];
  attributes: Record<string, string>;
  consents: Record<string, boolean>;
  trade: { orders: number; currency: string; value: string; average: string | null; first_at: string | null; last_at: string | null; others: Record<string, string> };
  complaints: number;
  cases: { case_id: string; type: string; issue: string; opened_at: string; promised_by: string | null; overdue: boolean }[];
  tags: Tag[];
  reasons: { reason: string; probability: number; text: Texts; evidence: string[] }[];
  rfm: [number, number, number] | null;
  segment: string;
  stage: string;
  talking_point: Texts;
  risk: (Risk & { low: number | null; high: number | null }) | null;
  lapses_at: string | null;
  days: { kind: string; id: string; on: string; in_days: number; names: Texts; greeting: Texts; years: number | null }[];
  clv?: Clv;
  preferences?: { channel: Preference | null; part_of_day: Preference | null; language: Preference | null; issues: Preference[] };
  manner?: Texts;
}

export const KINDS = ["call", "contact", "order", "case", "survey"] as const;
export type Kind = (typeof KINDS)[number];

/** A line of the timeline. */
export interface Entry {
  at: string;
  kind: Kind;
  id: string;
  channel: string | null;
  direction: "in" | "out" | null;
  issue: string;
  line: string;
  status: string;
  amount: string | null;
  currency: string;
  score: number | null;
  agent_id: string | null;
  call_id: string | null;
  complaint: boolean;
  solved: boolean | null;
  /** `value` is -1 ... 1. */
  mood: { value: number; agitation: number | null; of: "call" | "text" } | null;
  risk: { score: number | null; level: Level } | null;
}

/** The risk as a call told it. */
export interface RiskThen {
  call_id: string;
  at: string;
  at_ms: number;
  risk: Risk;
}

export interface CustomerAlert {
  customer_id: string;
  level: Level;
  state: "open" | "acknowledged" | "closed";
  team: string;
  opened_at: string;
  due_at: string | null;
  escalations: number;
  by: string;
  branch: string;
  reasons: string[];
  source: string;
}

/** Of a customer, as other systems told it. */
export type Told = { event: string; event_id: string; at: string } & Record<string, unknown>;

export interface CustomerTask {
  id: string;
  call_id: string | null;
  agent_id: string | null;
  title: string;
  text: string;
  texts?: Texts | Record<string, never>;
  team?: string;
  due_at: string | null;
  state: "open" | "done" | "cancelled";
  version: number;
}

export interface Part {
  id: string;
  customers: number;
  value: string;
}

export interface Move {
  before: string | null;
  now: string | null;
  customers: number;
}

export interface Board {
  as_of: string | null;
  before: string | null;
  customers: number;
  currency: string;
  value: string;
  names: Record<string, Texts>;
  segments: Part[];
  stages: Part[];
  segment_moves: Move[];
  stage_moves: Move[];
  past: { as_of: string; customers: number; segments: Record<string, number>; stages: Record<string, number> }[];
}

export interface Held {
  customer_id: string;
  name: string;
  segment: string;
  stage: string;
  value: number;
  segment_before: string | null;
  stage_before: string | null;
}
