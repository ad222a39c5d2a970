import { describe, expect, it } from "vitest";

import { bannerMoment, longDuration, nextAction, outcome } from "./banner";
import { journal } from "./journal.fixture";
import { chosen, lineOf, toneOf } from "./log";
import { isWithin, iterationOf, parentOf, templateOf } from "./paths";
import { asCurl, asPython } from "./snippet";

describe("the banner", () => {
  it("says what seed 003 says", () => {
    expect(outcome({ status: "succeeded", waitingFor: null })).toBe("Run succeeded");
    expect(outcome({ status: "waiting", waitingFor: "approval" })).toBe("Run waits for an approval");
    expect(bannerMoment(Date.parse("2026-06-12T03:23:07Z"), "UTC")).toBe("Jun 12, 2026, 3:23 AM");
  });

  it.each([
    [832, "832 milliseconds"],
    [1, "1 millisecond"],
    [4_217, "4.2 seconds"],
    [59_499, "59 seconds"],
    [59_600, "1 minute"],
    [187_000, "3 minutes 7 seconds"],
    [7_440_000, "2 hours 4 minutes"],
    [442_800_000, "5 days 3 hours"],
  ])("says %d ms as %s", (ms, text) => {
    expect(longDuration(ms)).toBe(text);
  });

  it("says what to do", () => {
    expect(nextAction({ code: "LLM_REQUEST_FAILED", message: "", details: { reason: "auth" } })).toMatch(/key/);
    expect(nextAction({ code: "PYTHON_FAILED", message: "" })).toMatch(/traceback/);
    expect(nextAction(null)).toMatch(/input and output/);
  });
});

describe("paths", () => {
  it("know where a step lies", () => {
    expect(["a", "each[3]", "each[3].send", "a.b"].map(parentOf)).toEqual([null, "each", "each[3]", "a"]);
    expect(iterationOf("each[13]")).toBe(13);
    expect(iterationOf("each[13].a")).toBeNull();
    expect(templateOf("x[1].y[2].z")).toBe("x.y.z");
    expect([isWithin("each[1].a", "each"), isWithin("eachother", "each"), isWithin("each", "each")]).toEqual([true, false, false]);
  });
});

describe("lines of the log", () => {
  const events = journal([
    ["run_started"],
    ["step_started", "each[0].send", { step_type: "http" }],
    ["log", "each[0].send", { message: "Hello World", stream: "stderr" }],
    ["step_failed", "other", { error: { code: "HTTP_FAILED", message: "boom" } }],
  ]);

  it("say what happened", () => {
    expect(events.map(lineOf)).toEqual(["", "http began", "Hello World", "failed: HTTP_FAILED boom"]);
    expect(events.map(toneOf)).toEqual([null, null, "bad", "bad"]);
  });

  it("are narrowed by words, kind and step", () => {
    const all = { find: "", groups: [], step: "" };
    expect(chosen(events, all)).toBe(events);
    expect(chosen(events, { ...all, find: "hello WORLD" }).map((event) => event.seq)).toEqual([3]);
    expect(chosen(events, { ...all, groups: ["run", "log"] }).map((event) => event.seq)).toEqual([1, 3]);
    expect(chosen(events, { ...all, step: "each" }).map((event) => event.seq)).toEqual([2, 3]);
  });
});

describe("a model call to send again", () => {
  const sent = { url: "https://api.openai.com/v1/chat/completions", text: `{"a":"it's \u202e"}`, content_type: "application/json" };

  it("is a shell command from which nothing breaks out, without a key", () => {
    expect(asCurl("openai", sent)).toBe(
      [
        "curl -sS 'https://api.openai.com/v1/chat/completions' \\",
        "  -H 'Content-Type: application/json' \\",
        '  -H "Authorization: Bearer $OPENAI_API_KEY" \\',
        `  --data-binary '{"a":"it'\\''s \u202e"}'`,
      ].join("\n"),
    );
  });

  it("is a Python program", () => {
    const program = asPython("anthropic", sent);
    expect(program).toContain('"x-api-key": os.environ["ANTHROPIC_API_KEY"]');
    expect(program).toContain(String.raw`content="{\"a\":\"it's \u202e\"}"`);
  });
});
