import { describe, expect, it } from "vitest";

import { axisOf, ticksOf } from "./axis";
import { placeWithDagre } from "./dagre";
import { standings } from "./drawn";
import { foldTo } from "./fold";
import { journal } from "./journal.fixture";
import { layOut, lineThrough, sizeOf, STEP_HEIGHT } from "./layout";
import { placeRoughly } from "./rough";
import { timelineOf } from "./timeline";
import { rowsOf, treeOf, type DrawnGraph } from "./tree";

describe("the axis", () => {
  it("is to scale when something always worked", () => {
    const axis = axisOf(0, 1000, [{ from: 0, to: null }]);
    expect([axis.gaps.length, axis.at(250), axis.back(0.25)]).toEqual([0, 0.25, 250]);
  });

  it("compresses a night's wait, and back again", () => {
    const axis = axisOf(0, 100_000, [
      { from: 0, to: 1000 },
      { from: 99_000, to: 100_000 },
    ]);
    expect(axis.gaps).toHaveLength(1);
    expect(axis.at(1000)).toBeCloseTo(0.48);
    expect(axis.at(99_000)).toBeCloseTo(0.52);
    for (const ts of [0, 500, 1000, 50_000, 99_500, 100_000]) expect(axis.back(axis.at(ts))).toBeCloseTo(ts, 3);
    expect(axisOf(0, 100_000, [{ from: 0, to: 1000 }], false).gaps).toEqual([]);
  });

  it("is monotonic, whatever overlaps", () => {
    const axis = axisOf(0, 50_000, [
      { from: 30_000, to: 31_000 },
      { from: 0, to: 10 },
      { from: 5, to: 800 },
    ]);
    const places = Array.from({ length: 101 }, (_, n) => axis.at(n * 500));
    expect(places.every((place, n) => n === 0 || place >= (places[n - 1] ?? 0))).toBe(true);
    expect(places.at(-1)).toBe(1);
  });

  it("has round ticks", () => {
    expect(ticksOf(axisOf(0, 4_100, [{ from: 0, to: null }]), 5)).toEqual([0, 1000, 2000, 3000, 4000]);
  });
});

const GRAPH: DrawnGraph = {
  nodes: [
    { id: "a", type: "transform", name: null },
    {
      id: "each",
      type: "for_each",
      name: null,
      steps: {
        nodes: [
          { id: "b", type: "http", name: null },
          { id: "c", type: "http", name: null },
        ],
        edges: [{ source: "b", target: "c" }],
      },
    },
    { id: "d", type: "workflow", name: null },
  ],
  edges: [
    { source: "a", target: "each" },
    { source: "each", target: "d", when: "x" },
    { source: "gone", target: "d" },
  ],
};
const FOLDED = { isOpen: () => false, inner: () => null };
const OPEN = { isOpen: () => true, inner: () => null };

describe("the layout", () => {
  it("goes from top to bottom and overlaps nothing", async () => {
    const { steps, edges } = await layOut(GRAPH, placeWithDagre, FOLDED);
    expect(steps.map((step) => step.path)).toEqual(["a", "each", "d"]);
    const [a, each, d] = steps.map((step) => step.y) as [number, number, number];
    expect(a + STEP_HEIGHT < each && each + STEP_HEIGHT < d).toBe(true);
    expect(edges.map((edge) => [edge.source, edge.target, edge.when])).toEqual([
      ["a", "each", null],
      ["each", "d", "x"],
    ]);
  });

  it("of a large graph is rough at first, yet nothing overlaps", async () => {
    const nodes = Array.from({ length: 500 }, (_, n) => ({ id: `s${n}`, type: "transform", name: null }));
    const edges = nodes.slice(25).map((node, n) => ({ source: `s${n}`, target: node.id }));
    const { steps } = await layOut({ nodes, edges }, placeRoughly, FOLDED);
    expect(new Set(steps.map((step) => step.y)).size).toBe(20);
    expect(new Set(steps.map((step) => `${step.x} ${step.y}`)).size).toBe(500);
    expect(steps[499]?.y).toBe(19 * (STEP_HEIGHT + 40));
  });

  it("does not hang when a graph goes round", () => {
    const boxes = ["a", "b"].map((id) => ({ id, width: 10, height: 10 }));
    const edges = [
      { source: "a", target: "b" },
      { source: "b", target: "a" },
    ];
    expect(placeRoughly({ boxes, edges }).at.size).toBe(2);
  });

  it("frames what lies in an open loop", async () => {
    const { steps } = await layOut(GRAPH, placeWithDagre, OPEN);
    const frame = steps.find((step) => step.path === "each");
    const inner = steps.filter((step) => step.parent === "each");
    expect(inner.map((step) => step.path)).toEqual(["each.b", "each.c"]);
    for (const step of inner) {
      expect(step.x + step.width).toBeLessThanOrEqual(frame?.width ?? 0);
      expect(step.y + step.height).toBeLessThanOrEqual(frame?.height ?? 0);
    }
    expect([sizeOf(GRAPH, FOLDED), sizeOf(GRAPH, OPEN)]).toEqual([3, 5]);
  });

  it("leads an edge around what lies between", async () => {
    const nodes = ["a", "b", "c"].map((id) => ({ id, type: "transform", name: null }));
    const edges = [
      { source: "a", target: "b" },
      { source: "b", target: "c" },
      { source: "a", target: "c" },
    ];
    const laid = await layOut({ nodes, edges }, placeWithDagre, FOLDED);
    const [straight, , around] = laid.edges;
    expect(straight?.bends).toEqual([]);
    const middle = laid.steps[1];
    expect(around?.bends.some(({ x }) => x < (middle?.x ?? 0) || x > (middle?.x ?? 0) + (middle?.width ?? 0))).toBe(true);
    expect(
      lineThrough([
        { x: 0, y: 0 },
        { x: 4, y: 10 },
      ]),
    ).toBe("M0,0C0,5 4,5 4,10");
  });

  it("shows the iteration that failed, or the one that is looked at", async () => {
    const record = foldTo(
      journal([
        ["step_started", "each", { step_type: "for_each", items: [1, 2, 3] }],
        ["step_started", "each[0]"],
        ["step_started", "each[1]"],
        ["step_started", "each[1].b"],
        ["step_failed", "each[1].b", { error: { code: "X", message: "" } }],
        ["step_failed", "each[1]", { error: { code: "X", message: "" } }],
      ]),
    );
    const { steps } = await layOut(GRAPH, placeWithDagre, OPEN);
    const shown = standings(steps, record, null);
    expect(shown.get("each.b")).toMatchObject({ path: "each[1].b", step: { status: "failed" } });
    expect(shown.get("each")?.iterations).toMatchObject({ shown: 1, done: 1, failed: 1, of: 3 });
    expect(standings(steps, record, "each[0].b").get("each.b")).toMatchObject({ path: "each[0].b", step: null });
  });
});

describe("the timeline", () => {
  const usage = { input_tokens: 1 };
  const record = foldTo(
    journal([
      ["run_created"],
      ["step_started", "agent", { step_type: "agent" }],
      ["step_waiting", "agent", { waiting_for: "delay" }],
      ["step_resumed", "agent", { by: "timer" }],
      ["generation_completed", "agent", { provider: "p", model: "m", usage, latency_ms: 400, tool_calls: [{ id: "1", name: "t" }] }],
      ["tool_called", "agent", { tool: "t", call_id: "1" }],
      ["tool_returned", "agent", { tool: "t", call_id: "1", error: { code: "X", message: "" } }],
      ["generation_completed", "agent", { provider: "p", model: "m", usage, latency_ms: 400 }],
      ["step_completed", "agent", { result: 1 }],
      ["run_succeeded"],
    ]),
  );
  const rows = (isOpen: () => boolean) => timelineOf(record, rowsOf(treeOf(record, null), isOpen), isOpen, 0).rows;

  it("parts work from waiting", () => {
    expect(rows(() => false)[0]?.bars.map((bar) => [bar.kind, bar.from, bar.to])).toEqual([
      ["work", 2000, 3000],
      ["wait", 3000, 4000],
      ["work", 4000, 9000],
    ]);
  });

  it("nests rounds and their tools", () => {
    expect(rows(() => true).map((row) => [row.level, row.kind, row.label, row.from, row.to])).toEqual([
      [1, "step", "agent", 2000, 9000],
      [2, "round", "Round 1: m", 4600, 5000],
      [3, "tool", "t", 6000, 7000],
      [2, "round", "Round 2: m", 7600, 8000],
    ]);
    expect(rows(() => true)[2]?.bars[0]?.failed).toBe(true);
  });
});
