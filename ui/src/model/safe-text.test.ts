import { describe, expect, it } from "vitest";

import { cut, oneLine, pieces } from "./safe-text";

describe("text from runs", () => {
  it("is one piece when nothing in it is hidden", () => {
    expect(pieces("naïve <b>text</b>\n\t👩‍👩‍👧")).toEqual([{ text: "naïve <b>text</b>\n\t👩‍👩‍👧" }]);
    expect(pieces("")).toEqual([{ text: "" }]);
  });

  it("shows what would turn the reading direction round", () => {
    expect(pieces("user\u202etxt.exe")).toEqual([
      { text: "user" },
      { text: "U+202E", hidden: "U+202E right-to-left override" },
      { text: "txt.exe" },
    ]);
  });

  it("shows terminal escapes as signs", () => {
    expect(pieces("\u001b[31mred")[0]).toEqual({ text: "\u241b", hidden: "U+001B ESC" });
  });

  it("fits on one line", () => {
    expect(oneLine("a\r\n\tb\u0000c\u200bd")).toBe("a b\u2400cU+200Bd");
  });
});

describe("long text", () => {
  it("is cut, and says how much is left", () => {
    expect(cut("abcdef", 4)).toEqual({ shown: "abcd", rest: 2 });
    expect(cut("abc", 4)).toEqual({ shown: "abc", rest: 0 });
  });

  it("is never cut within a character", () => {
    expect(cut("ab😀", 3)).toEqual({ shown: "ab", rest: 2 });
  });
});
