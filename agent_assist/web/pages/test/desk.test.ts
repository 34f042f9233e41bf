import { describe, expect, it } from "vitest";
import { newKey } from "../src/compensation";
import { tags } from "../src/pop";

describe("what the desk brings", () => {
  it("parts tags at Chinese and Western commas, and leaves out what is empty", () => {
    expect(tags(" 老客户, VIP,价格敏感;、")).toEqual(["老客户", "VIP", "价格敏感"]);
    expect(tags(undefined)).toEqual([]);
  });
  it("makes a key that is a UUID of version 4, another each time", () => {
    const keys = new Set(Array.from({ length: 50 }, newKey));
    expect(keys.size).toBe(50);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
