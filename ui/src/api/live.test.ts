import { afterEach, beforeEach, expect, it, vi } from "vitest";

vi.mock("./client", () => ({ apiAddress: (path: string, query: { after?: string }) => `${path}?after=${query.after ?? ""}` }));

import { follow, type LiveMessage, type LiveState } from "./live";

const event = (seq: number) => `id: ${seq}\ndata: {"type":"log","cursor":"${seq}"}\n\n`;
const end = (reason: string) => `data: {"type":"end","reason":"${reason}"}\n\n`;

let asked: string[];
let answers: (Response | Error)[];

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(address);
    const answer = answers.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error("nothing more");
    return answer;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function followed(): Promise<{ messages: LiveMessage[]; states: LiveState[] }> {
  const messages: LiveMessage[] = [];
  const states: LiveState[] = [];
  const over = new Promise<void>((resolve) => {
    follow({
      path: "/v1/runs/run_1/stream",
      onMessage: (message) => messages.push(message),
      onState: (state) => {
        states.push(state);
        if (state.kind === "ended" || state.kind === "refused") resolve();
      },
    });
  });
  await Promise.race([over, vi.advanceTimersByTimeAsync(120_000).then(() => over)]);
  return { messages, states };
}

it("goes on after the last cursor when the connection breaks, and says so", async () => {
  answers = [
    new Response(event(1) + event(2)),
    new Error("the server is away"),
    new Response(event(3) + end("server_stopping")),
    new Response(end("run_ended")),
  ];
  const { messages, states } = await followed();
  expect(messages.map((message) => message.cursor)).toEqual(["1", "2", "3"]);
  expect(asked.map((address) => address.split("=")[1])).toEqual(["", "2", "2", "3"]);
  expect(states.map((state) => state.kind)).toEqual([
    "connecting",
    "live",
    "reconnecting",
    "reconnecting",
    "live",
    "reconnecting",
    "live",
    "ended",
  ]);
  expect(states.at(-2)).toEqual({ kind: "live", again: true });
  expect(states.at(-1)).toEqual({ kind: "ended", reason: "run_ended" });
});

it("ends when nothing is left to send", async () => {
  answers = [new Response(null, { status: 204 })];
  expect((await followed()).states.at(-1)).toEqual({ kind: "ended", reason: "run_ended" });
});

it("does not ask again when it is refused", async () => {
  answers = [Response.json({ code: "NOT_FOUND", detail: "there is no run" }, { status: 404 })];
  const { states } = await followed();
  expect(states.at(-1)).toMatchObject({ kind: "refused", problem: { status: 404, code: "NOT_FOUND" } });
  expect(asked).toHaveLength(1);
});
