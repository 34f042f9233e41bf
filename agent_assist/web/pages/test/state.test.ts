import { describe, expect, it } from "vitest";
import { apply, nothing } from "../src/state";
import type { CallRecord, Caller, Message, Turn, Utterance } from "../src/types";

const speaker = { talk_ms: 0, talk_share: null, interruptions: 0, words_per_minute: null, characters_per_minute: null, loudness_dbfs: null };
const record: CallRecord = {
  call_id: "c", duration_ms: 0, utterances: [], cards: [], status: "live", started_at: null,
  risk: { score: null, level: "unknown", reasons: [], model_version: "" },
  measures: { customer: speaker, agent: speaker, talk_ms: 0, non_talk_ms: 0, overtalk_ms: 0, interruptions: 0 },
  customer_id: null, customer_name: null, agent_id: null, queue: null, feedback: [], degraded: [],
  keys: [], curve: [], turns: [], acknowledged: [], asked: [], whispers: [],
};
const said = (id: string, start_ms: number, text = "x"): Utterance => ({
  id, channel: "customer", start_ms, end_ms: start_ms + 500, text, language: "en", confidence: 1, sentiment: null, emotion: null,
});
const at = { seq: 1, epoch: "e" };
const snapshot: Message = { ...at, kind: "snapshot", data: record };
const final = (u: Utterance): Message => ({ ...at, kind: "final", data: { utterance: u } });
const partial = (id: string, revision: number, text: string, end_ms = 1): Message => ({
  ...at, kind: "partial", data: { utterance_id: id, channel: "customer", revision, start_ms: 0, end_ms, text, committed: 0, language: "en" },
});
const play = (...messages: Message[]) => messages.reduce(apply, nothing);

describe("what is known of the customer", () => {
  const caller = (at_s: number, attributes: Record<string, string>): Caller => ({
    at: new Date(at_s * 1000).toISOString(), customer_id: "k", name: "Kim", attributes, tags: [], reasons: [], contacts: [],
    preferences: { channel: null, part_of_day: null, language: null, issues: [] }, manner: {}, days: [],
  });
  const told = (at_s: number, attributes: Record<string, string>): Message => ({ ...at, kind: "known", data: { caller: caller(at_s, attributes) } });
  const began: Message = { ...at, kind: "snapshot", data: { ...record, attributes: { tenant: "t", greeting: "hi" }, caller: caller(0, { greeting: "hi" }) } };

  it("takes the place of what was known, and leaves what the telephone side told", () => {
    const view = play(began, told(2, { customer_tags: "new", tenant: "other" }));
    expect(view.record?.attributes).toEqual({ customer_tags: "new", tenant: "t" });
    expect([view.record?.customer_id, view.record?.customer_name]).toEqual(["k", "Kim"]);
  });
  it("does not go back to an older look", () => {
    expect(play(began, told(5, { a: "5" }), told(4, { a: "4" })).record?.attributes).toEqual({ tenant: "t", a: "5" });
  });
});

describe("the fold of a call's messages", () => {
  it("shows a final once, however often it comes", () => {
    const view = play(snapshot, final(said("a", 0)), final(said("a", 0)));
    expect(view.record?.utterances.map((u) => u.id)).toEqual(["a"]);
  });
  it("shows keys pressed once, however often they come", () => {
    const keys = (id: string): Message => ({
      ...at, kind: "keys", data: { id, channel: "customer", start_ms: 5, end_ms: 9, keys: "", count: 4 },
    });
    expect(play(snapshot, keys("k"), keys("k"), keys("l")).record?.keys.map((k) => k.id)).toEqual(["k", "l"]);
  });
  it("draws a point of the curve once, however often it comes, and takes the last turns", () => {
    const mood = (id: string, at_ms: number, turns: Turn[] = []): Message => ({
      ...at, kind: "mood", data: { point: { utterance_id: id, at_ms, score: -1, trend: "steady", arousal: null, agitation: null }, turns },
    });
    const turn: Turn = {
      start_ms: 1, at_ms: 9, direction: "worse", size: -3, agitation: null, cause: "agent",
      before: { agent_from_ms: 0, agent_to_ms: 1, silence_ms: 0, overtalk_ms: 0, hold_ms: 0, topic: "" },
    };
    const view = play(snapshot, mood("b", 9), mood("a", 5), mood("b", 9, [turn]));
    expect(view.record?.curve.map((p) => p.utterance_id)).toEqual(["a", "b"]);
    expect(view.record?.turns).toEqual([turn]);
  });
  it("takes a confirmed card in place of the provisional one, not the other way round, and a withdrawn one away", () => {
    const card = (id: string, provisional: boolean): Message => ({
      ...at, kind: "card",
      data: { id, rule: "r", kind: "card", title: "", text: "", at_ms: 1, utterance_id: "u", priority: 1, reason: "", provisional },
    });
    const gone = (id: string): Message => ({ ...at, kind: "withdrawn", data: { card_id: id } });
    const view = play(snapshot, card("a", true), card("b", true), card("a", false), gone("b"), card("a", true), gone("a"));
    expect(view.record?.cards.map((c) => [c.id, c.provisional])).toEqual([["a", false]]);
  });
  it("orders finals by their start", () => {
    const view = play(snapshot, final(said("b", 900)), final(said("a", 0)));
    expect(view.record?.utterances.map((u) => u.id)).toEqual(["a", "b"]);
  });
  it("replaces a partial in place, and drops it with its final", () => {
    const before = play(snapshot, partial("a", 1, "I"), partial("a", 2, "I am"));
    expect([...before.partials.values()].map((p) => p.text)).toEqual(["I am"]);
    expect(apply(before, final(said("a", 0))).partials.size).toBe(0);
  });
  it("takes no partial that is older, or comes after its final", () => {
    const view = play(snapshot, partial("a", 2, "new"), partial("a", 1, "old"));
    expect([...view.partials.values()].map((p) => p.text)).toEqual(["new"]);
    expect(play(snapshot, final(said("a", 0)), partial("a", 3, "late")).partials.size).toBe(0);
  });
  it("goes on with what a successor has heard, whose revisions begin anew", () => {
    const view = play(snapshot, partial("a", 9, "I am", 5), partial("a", 1, "I am here", 6));
    expect([...view.partials.values()].map((p) => p.text)).toEqual(["I am here"]);
  });
  it("drops a partial that came to nothing", () => {
    expect(play(snapshot, partial("a", 1, "hm"), partial("a", 2, "")).partials.size).toBe(0);
  });
  it("is replaced whole by a snapshot", () => {
    const view = play(snapshot, final(said("a", 0)), snapshot);
    expect(view.record?.utterances).toEqual([]);
  });
  it("says that it waits, and forgets the call before", () => {
    const view = play(snapshot, final(said("a", 0)), { ...at, kind: "waiting" });
    expect(view.waiting).toBe(true);
    expect(view.record).toBeNull();
  });
  it("keeps the first article of an id, the latest flow, and each compensation once", () => {
    const article = (title: string): Message => ({
      ...at, kind: "article", data: { id: "a", at_ms: 1, key: "k", kind: "article", title, heading: "", passage: "", marks: [], source: "", version: 1, score: 1, reason: "code", trigger: [], language: "en" },
    });
    const flow = (at_ms: number): Message => ({ ...at, kind: "flow", data: { at_ms, title: "", language: "en", steps: [], current: null, branches: [], adherence: null, over: false } });
    const asked = (state: "pending" | "approved"): Message => ({
      ...at, kind: "compensation", data: { id: "c", call_id: "c", customer_id: null, kind: "voucher", amount: "5", currency: "CNY", reason: "", state, rule: "", asked_by: "", asked_at: "", decided_by: "", note: "" },
    });
    const { record: told } = play(snapshot, article("first"), article("second"), flow(9), flow(3), asked("pending"), asked("approved"));
    expect(told?.articles?.map((a) => a.title)).toEqual(["first"]);
    expect(told?.flow?.at_ms).toBe(9);
    expect(told?.compensations?.map((c) => c.state)).toEqual(["approved"]);
  });
  it("offers a pause beyond the end of the call", () => {
    const pause: Message = { ...at, kind: "break", data: { id: "b", text: "That was hard.", exposure_ms: 1, language: "en" } };
    expect(play(snapshot, pause, { ...at, kind: "waiting" }).pause?.text).toBe("That was hard.");
  });
  it("takes a message that it does not know for nothing", () => {
    const view = play(snapshot, final(said("a", 0)));
    const after = apply(view, { seq: 7, epoch: "e", kind: "later", data: {} } as unknown as Message);
    expect(after.record).toBe(view.record);
    expect(after.seq).toBe(7);
  });
});
