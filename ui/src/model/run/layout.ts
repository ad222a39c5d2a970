/** Where each step of a graph is drawn. A loop, and a child run that is unfolded, is a frame around the steps within it. */

import type { DrawnGraph, DrawnStep } from "./tree";

export const STEP_WIDTH = 216;
export const STEP_HEIGHT = 56;
const FRAME = { top: 56, side: 16, bottom: 16 };

export interface Box {
  id: string;
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Level {
  boxes: Box[];
  edges: { source: string; target: string }[];
}

export interface Positions {
  /** Left upper corners, from 0. */
  at: Map<string, Point>;
  /** By edge, in the level's order: where it bends on its way around other steps. */
  bends: Point[][];
  width: number;
  height: number;
}

/** Places the boxes of one level, from top to bottom. */
export type Placer = (level: Level) => Positions | Promise<Positions>;

export interface LaidStep {
  /** The step's ids from the outermost on, joined by dots. */
  path: string;
  parent: string | null;
  drawn: DrawnStep;
  x: number;
  y: number;
  width: number;
  height: number;
  foldable: boolean;
  open: boolean;
}

export interface LaidEdge {
  id: string;
  source: string;
  target: string;
  when: string | null;
  /** The frame in which it lies; its bends count from the frame's corner. */
  parent: string | null;
  bends: Point[];
}

export interface LaidGraph {
  /** Frames stand before what lies in them. */
  steps: LaidStep[];
  edges: LaidEdge[];
  width: number;
  height: number;
}

export interface Unfolding {
  isOpen: (path: string) => boolean;
  /** Return what lies in a step beyond its own loop: a child run's graph, where it is known. */
  inner: (path: string) => DrawnGraph | null;
}

/** Return how many steps are drawn. */
export function sizeOf(graph: DrawnGraph, unfolding: Unfolding, parent: string | null = null): number {
  return graph.nodes.reduce((sum, drawn) => {
    const path = parent === null ? drawn.id : `${parent}.${drawn.id}`;
    const inside = insideOf(drawn, path, unfolding);
    return sum + 1 + (inside && unfolding.isOpen(path) ? sizeOf(inside, unfolding, path) : 0);
  }, 0);
}

export async function layOut(graph: DrawnGraph, place: Placer, unfolding: Unfolding, parent: string | null = null): Promise<LaidGraph> {
  const paths = graph.nodes.map((drawn) => (parent === null ? drawn.id : `${parent}.${drawn.id}`));
  const inner = await Promise.all(
    graph.nodes.map((drawn, index) => {
      const path = paths[index] as string;
      const inside = insideOf(drawn, path, unfolding);
      return inside && unfolding.isOpen(path) ? layOut(inside, place, unfolding, path) : null;
    }),
  );
  const boxes = graph.nodes.map((_, index) => ({ id: paths[index] as string, ...framed(inner[index] ?? null) }));
  const pathOf = new Map(graph.nodes.map((drawn, index) => [drawn.id, paths[index] as string]));
  const edges = graph.edges.flatMap(({ source, target, when }): LaidEdge[] => {
    const [from, to] = [pathOf.get(source), pathOf.get(target)];
    return from && to ? [{ id: `${from}>${to}`, source: from, target: to, when: when ?? null, parent, bends: [] }] : [];
  });
  const positions = await place({ boxes, edges });
  const bent = edges.map((edge, index) => ({ ...edge, bends: positions.bends[index] ?? [] }));
  const steps = graph.nodes.flatMap((drawn, index): LaidStep[] => {
    const path = paths[index] as string;
    const box = boxes[index] as Box;
    const { x, y } = positions.at.get(path) ?? { x: 0, y: 0 };
    const foldable = insideOf(drawn, path, unfolding) !== null || drawn.type === "workflow";
    const own = { path, parent, drawn, x, y, width: box.width, height: box.height, foldable, open: inner[index] !== null };
    const within = (inner[index]?.steps ?? []).map((step) =>
      step.parent === path ? { ...step, x: step.x + FRAME.side, y: step.y + FRAME.top } : step,
    );
    return [own, ...within];
  });
  return {
    steps,
    edges: [...bent, ...inner.flatMap((each, index) => (each ? each.edges.map((edge) => moved(edge, paths[index])) : []))],
    width: positions.width,
    height: positions.height,
  };
}

function insideOf(drawn: DrawnStep, path: string, unfolding: Unfolding): DrawnGraph | null {
  const own = drawn.steps && drawn.steps.nodes.length > 0 ? drawn.steps : null;
  return own ?? unfolding.inner(path);
}

/** An edge of the level right within a frame counts from the frame's corner. */
function moved(edge: LaidEdge, frame: string | undefined): LaidEdge {
  if (edge.parent !== frame) return edge;
  return { ...edge, bends: edge.bends.map(({ x, y }) => ({ x: x + FRAME.side, y: y + FRAME.top })) };
}

/** Return the line of an edge: from top to bottom, smoothly by way of its bends. */
export function lineThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let before = first;
  const curves = rest.map((to) => {
    const middle = (before.y + to.y) / 2;
    const curve = `C${before.x},${middle} ${to.x},${middle} ${to.x},${to.y}`;
    before = to;
    return curve;
  });
  return `M${first.x},${first.y}${curves.join("")}`;
}

function framed(inner: LaidGraph | null): { width: number; height: number } {
  if (!inner) return { width: STEP_WIDTH, height: STEP_HEIGHT };
  return { width: Math.max(STEP_WIDTH, inner.width + 2 * FRAME.side), height: inner.height + FRAME.top + FRAME.bottom };
}
