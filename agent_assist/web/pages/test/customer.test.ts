import { describe, expect, it } from "vitest";
import { merged, sought } from "../src/customer";
import { steps } from "../src/customer_risk";
import type { Entry } from "../src/customer_types";
import { line, sides } from "../src/segments";
import { signed } from "../src/timeline";

const entry = (id: string, at: string, line = "") => ({ kind: "call", id, at, line }) as Entry;

describe("a customer's page", () => {
  it("knows an address from an id", () => {
    expect(sought("+86 138-0013 8000")).toEqual({ phone: "+8613800138000" });
    expect(sought("a@b.example")).toEqual({ email: "a@b.example" });
    for (const id of ["c1", "13800138000", "+12", "a@b", "x y@z.example"]) expect(sought(id)).toEqual({ id });
  });
  it("keeps what was read before and shows what is newer once, the latest first", () => {
    const before = [entry("b", "2026-01-02T00:00:00Z"), entry("a", "2026-01-01T00:00:00+08:00")];
    const newer = [entry("c", "2026-01-02T09:00:00+08:00"), entry("b", "2026-01-02T00:00:00Z", "ended")];
    const all = merged(newer, before);
    expect(all.map((e) => e.id)).toEqual(["c", "b", "a"]);
    expect(all[1]?.line).toBe("ended");
  });
  it("puts reasons one upon the other from the average on, so that they end at the score", () => {
    const reasons = Array.from({ length: 12 }, (_, n) => ({ name: `r${n}`, contribution: (n % 2 ? -1 : 1) * 0.01 * n }));
    const found = steps([...reasons, { name: "base_rate", contribution: 0.3 }], (n) => `${n} others`, 5);
    expect(found.map((s) => s.name)).toEqual(["base_rate", "r11", "r10", "r9", "r8", "r7", "6 others"]);
    for (const [n, step] of found.entries()) expect(step.from).toBe(found[n - 1]?.to ?? 0);
    expect(found.at(-1)?.to).toBeCloseTo(0.3 + reasons.reduce((sum, r) => sum + r.contribution, 0), 12);
  });
  it("signs a mood", () => {
    expect([2.04, -3.1, 0.02, -0.04].map(signed)).toEqual(["+2.0", "−3.1", "0", "0"]);
  });
});

describe("the board of segments", () => {
  it("draws counts in their box, a single one in its middle", () => {
    expect(line([0, 5, 10])).toBe("2.0,22.0 48.0,12.0 94.0,2.0");
    expect(line([7])).toBe("48.0,2.0");
    expect(line([0, 0])).toBe("2.0,22.0 94.0,22.0");
  });
  it("orders both sides of the moves by the table, those of no table after it, those who came or went last", () => {
    const move = (before: string | null, now: string | null) => ({ before, now, customers: 1 });
    const found = sides([move(null, "faded"), move("old", "core"), move("faded", "core"), move("core", null)], ["core", "faded"]);
    expect(found).toEqual({ before: ["core", "faded", "old", null], now: ["core", "faded", null] });
  });
});
