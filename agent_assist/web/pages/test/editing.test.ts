import { describe, expect, it } from "vitest";
import { change } from "../src/editing";

describe("what can be done with a version", () => {
  it("publishes the latest draft alone, and withdraws what is published, whatever came after it", () => {
    expect(change({ state: "draft", latest: true })).toBe("publish");
    expect(change({ state: "draft", latest: false })).toBeNull();
    expect(change({ state: "published", latest: true })).toBe("withdraw");
    expect(change({ state: "published", latest: false })).toBe("withdraw");
    expect(change({ state: "withdrawn", latest: true })).toBeNull();
  });
});
