import { expect, it } from "vitest";

import { SseReader } from "./sse";

it("reads messages however they are cut", () => {
  const text = 'retry: 2000\n\nid: 3\ndata: {"a":1}\n\ndata: {"type":"heartbeat"}\n\n';
  for (const size of [1, 2, 7, text.length]) {
    const reader = new SseReader();
    const read = [];
    for (let at = 0; at < text.length; at += size) read.push(...reader.read(text.slice(at, at + size)));
    expect(read).toEqual([
      { id: "3", data: '{"a":1}' },
      { id: null, data: '{"type":"heartbeat"}' },
    ]);
  }
});

it("joins lines of data and takes any line end", () => {
  expect(new SseReader().read("data: a\r\ndata: b\r\n\r\n")).toEqual([{ id: null, data: "a\nb" }]);
});
