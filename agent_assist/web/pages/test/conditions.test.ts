import { describe, expect, it } from "vitest";
import { type Rule, condition } from "../src/conditions";

const rule: Rule = {
  id: "r", name: "", kind: "card", speaker: "customer", languages: [], priority: 1, title: {}, text: {}, phrases: {},
  all_of: [], unless: {}, not_within: {}, like: {}, unlike: {}, least_likeness: {}, competitors: false, intents: [], emotions: [], least_confidence: 0, either: false,
  unless_agent: {}, agitation: null, measures: [], risk: null, profile: null, not_said: null,
  window: { first: null, after_ms: null, before_ms: null, after_customer: 0 }, hits: null, once: "call", cooldown_ms: 0,
  after: false, early: false, compliance: false, offer: false, due_hours: null, webhook: null,
};
const told = (changed: Partial<Rule>, language: "zh" | "en" = "en") => condition({ ...rule, ...changed }, language).map((l) => `${l.label}: ${l.parts.join(", ")}`);

describe("a condition in words", () => {
  it("begins with the phrases of the reader's language", () => {
    expect(told({ phrases: { zh: ["退款"], en: ["refund"] } })[0]).toBe("The customer says: refund, 退款");
    expect(told({ phrases: { zh: ["退款"], en: ["refund"] } }, "zh")[0]).toBe("客户说: 退款, refund");
  });
  it("says what must not be said, and how often", () => {
    const lines = told({ phrases: { en: ["a"] }, unless: { en: ["b"] }, once: "always", cooldown_ms: 30_000 });
    expect(lines).toEqual(["The customer says: a", "not with: b", "how often: each time, then not for 30 s"]);
  });
  it("says what is to be meant, and how much alike", () => {
    const lines = told({ like: { en: ["I have waited long"] }, unlike: { en: ["I can wait"] }, least_likeness: { en: 0.75 } });
    expect(lines.slice(0, 2)).toEqual(["means: I have waited long, likeness of at least 75 % in en", "does not rather mean: I can wait"]);
    expect(told({ like: { zh: ["等了很久"] } }, "zh")[0]).toBe("意思是: 等了很久");
  });
  it("gives measures their units", () => {
    const measures = [
      { name: "silence_ms", speaker: null, at_least: 8000, at_most: null, last_s: null },
      { name: "talk_share", speaker: "agent", at_least: 0.6, at_most: null, last_s: 20 },
    ];
    expect(told({ measures }).slice(0, 2)).toEqual(["while: silence ≥ 8 s", "while: agent's share of the talk ≥ 60 % over the last 20 s"]);
  });
  it("tells what is not said from what is", () => {
    const lines = told({ speaker: "agent", phrases: { en: ["hello"] }, not_said: { within_ms: 5000, after: null } });
    expect(lines.slice(0, 2)).toEqual(["Nobody on that side says within 5 s: hello", "after: since the start of the call"]);
  });
});
