/** Places the steps of a graph with dagre. */

import { graphlib, layout } from "@dagrejs/dagre";

import type { Level, Point, Positions } from "./layout";

export function placeWithDagre({ boxes, edges }: Level): Positions {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 40, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { source, target } of edges) graph.setEdge(source, target);
  layout(graph);
  const at = new Map<string, Point>();
  let right = 0;
  let bottom = 0;
  for (const { id, width, height } of boxes) {
    const placed = graph.node(id) as unknown as { x: number; y: number };
    const corner = { x: placed.x - width / 2, y: placed.y - height / 2 };
    at.set(id, corner);
    right = Math.max(right, corner.x + width);
    bottom = Math.max(bottom, corner.y + height);
  }
  const bends = edges.map(({ source, target }) => {
    const edge = graph.edge(source, target) as unknown as { points?: Point[] } | undefined;
    return (edge?.points ?? []).slice(1, -1);
  });
  return { at, bends: bends.map((points) => (points.length > 1 ? eased(points) : [])), width: right, height: bottom };
}

const ROOM = 16;

/** Leave an edge more room to turn where it begins and ends. */
function eased(points: Point[]): Point[] {
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  if (last.y - first.y < 3 * ROOM) return points;
  return points.map((point) => ({ x: point.x, y: Math.min(Math.max(point.y, first.y + ROOM), last.y - ROOM) }));
}
