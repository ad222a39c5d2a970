/** Places the steps of a graph with dagre. */

import { graphlib, layout } from "@dagrejs/dagre";

import type { Level, Positions } from "./layout";

export function placeWithDagre({ boxes, edges }: Level): Positions {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 28, ranksep: 40, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { source, target } of edges) graph.setEdge(source, target);
  layout(graph);
  const at = new Map<string, { x: number; y: number }>();
  let right = 0;
  let bottom = 0;
  for (const { id, width, height } of boxes) {
    const placed = graph.node(id) as unknown as { x: number; y: number };
    const corner = { x: placed.x - width / 2, y: placed.y - height / 2 };
    at.set(id, corner);
    right = Math.max(right, corner.x + width);
    bottom = Math.max(bottom, corner.y + height);
  }
  return { at, width: right, height: bottom };
}
