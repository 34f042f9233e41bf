import { describe, expect, it } from "vitest";
import { newKey } from "../src/compensation";
import { authority } from "../src/desk_words";
import { tags } from "../src/pop";

describe("what the desk brings", () => {
  it("parts tags at Chinese and Western commas, and leaves out what is empty", () => {
    expect(tags(" 老客户, VIP,价格敏感;、")).toEqual(["老客户", "VIP", "价格敏感"]);
    expect(tags(undefined)).toEqual([]);
  });
  it("tells the line of the table in the language of the page, and old entries as they are", () => {
    const said = { rule: "agent: no refund", rule_zh: "坐席：不能给退款" };
    expect([authority(said, "zh"), authority(said, "en")]).toEqual(["坐席：不能给退款", "agent: no refund"]);
    expect(authority({ rule: "agent: no refund", rule_zh: "" }, "zh")).toBe("agent: no refund");
  });
  it("makes a key that is a UUID of version 4, another each time", () => {
    const keys = new Set(Array.from({ length: 50 }, newKey));
    expect(keys.size).toBe(50);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
