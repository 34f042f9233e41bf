import { describe, expect, it } from "vitest";
import { cut } from "../src/marked";

describe("marks in a passage", () => {
  it("cut it where they begin and end", () => {
    expect(cut("abcd", [{ start: 1, end: 3 }])).toEqual([{ text: "a", marked: false }, { text: "bc", marked: true }, { text: "d", marked: false }]);
  });
  it("lose no character, however they lie", () => {
    const marks = [{ start: 2, end: 9 }, { start: 0, end: 1 }, { start: 0, end: 3 }];
    expect(cut("退款多久到账", marks).map((p) => p.text).join("")).toBe("退款多久到账");
    expect(cut("退款多久到账", marks)).toEqual([{ text: "退款多久到账", marked: true }]);
  });
  it("count characters, not halves of them", () => {
    expect(cut("😀ab", [{ start: 1, end: 2 }]).map((p) => p.text)).toEqual(["😀", "a", "b"]);
  });
});
