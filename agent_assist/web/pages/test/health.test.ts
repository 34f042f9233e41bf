import { describe, expect, it } from "vitest";
import { byScore, height, points } from "../src/health";

const month = (name: string, score: number | null) => ({ month: name, score, checked: 10, passed: 9 });

describe("the trend", () => {
  it("goes from the oldest to the latest and leaves out months of nothing", () => {
    expect(points([month("2026-03", 1), month("2026-02", null), month("2026-01", 0.9)], 0.9)).toBe("0.0,96.0 480.0,0.0");
    expect(points([month("2026-03", 1)], 0.9)).toBe("0.0,0.0");
    expect(points([], 0.9)).toBe("");
  });

  it("keeps what is below its foot at the foot", () => {
    expect(height(0.1, 0.9)).toBe(96);
    expect(height(0.95, 0.9)).toBeCloseTo(48);
  });
});

it("puts the worst field first", () => {
  const fields = { "customer.name": { checked: 4, passed: 4 }, "phone.value": { checked: 4, passed: 1 }, "email.value": { checked: 4, passed: 4 } };
  expect(byScore(fields).map(([name]) => name)).toEqual(["phone.value", "customer.name", "email.value"]);
});
