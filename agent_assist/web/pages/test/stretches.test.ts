import { describe, expect, it } from "vitest";
import { heardAt, overlaps, silences } from "../src/stretches";
import type { Channel, Utterance } from "../src/types";

const said = (channel: Channel, start_ms: number, end_ms: number): Utterance => ({
  id: `${channel}${start_ms}`, channel, start_ms, end_ms, text: "x", language: "en", confidence: 1, sentiment: null, emotion: null,
});

describe("silences", () => {
  it("counts what is longer than three seconds, before the first and after the last word too", () => {
    const words = [said("customer", 4_000, 5_000), said("agent", 8_000, 9_000), said("agent", 12_001, 13_000)];
    expect(silences(words, 17_000)).toEqual([
      { start_ms: 0, end_ms: 4_000 },
      { start_ms: 9_000, end_ms: 12_001 },
      { start_ms: 13_000, end_ms: 17_000 },
    ]);
  });
  it("does not end a silence where a longer utterance still goes on", () => {
    expect(silences([said("customer", 0, 10_000), said("agent", 1_000, 2_000)], 10_000)).toEqual([]);
  });
});

describe("overlaps", () => {
  it("finds where both speak, and not the brush of two ends", () => {
    const words = [said("customer", 0, 2_000), said("agent", 1_000, 3_000), said("customer", 2_800, 5_000), said("agent", 3_500, 4_000)];
    expect(overlaps(words)).toEqual([
      { start_ms: 1_000, end_ms: 2_000 },
      { start_ms: 3_500, end_ms: 4_000 },
    ]);
  });
  it("sees every utterance that a long one covers", () => {
    const words = [said("customer", 0, 9_000), said("agent", 1_000, 2_000), said("agent", 5_000, 6_000)];
    expect(overlaps(words)).toHaveLength(2);
  });
});

describe("heardAt", () => {
  const words = [said("customer", 1_000, 2_000), said("agent", 3_000, 4_000)];
  it.each([[0, -1], [1_000, 0], [2_500, 0], [3_000, 1], [9_999, 1]])("at %i ms is %i", (ms, index) => {
    expect(heardAt(words, ms)).toBe(index);
  });
});
