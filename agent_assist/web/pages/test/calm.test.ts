import { describe, expect, it } from "vitest";
import { steady } from "../src/calm";

const cards = (...ids: string[]) => ids.map((id) => ({ id }));
const ids = (given: { shown: { id: string }[]; waiting: number }) => [given.shown.map((c) => c.id).join(""), given.waiting];

describe("a list that somebody looks at", () => {
  it("keeps its order, and what is new waits", () => {
    expect(ids(steady(cards("n", "a", "b"), ["a", "b"], true))).toEqual(["ab", 1]);
    expect(ids(steady(cards("b", "a"), ["a", "b"], true))).toEqual(["ab", 0]);
  });
  it("drops what is gone all the same", () => {
    expect(ids(steady(cards("b"), ["a", "b"], true))).toEqual(["b", 0]);
  });
  it("is as wanted once nobody looks, and where nothing was shown", () => {
    expect(ids(steady(cards("n", "a", "b"), ["a", "b"], false))).toEqual(["nab", 0]);
    expect(ids(steady(cards("n"), [], true))).toEqual(["n", 0]);
  });
});
