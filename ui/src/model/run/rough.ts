/**
 * A rough placement of a large graph, at once: every step below all that it depends on, ordered by where these are. It is
 * shown until elk, which needs its time, has placed the steps well.
 */

import type { Box, Level, Positions } from "./layout";

const GAP = { across: 28, down: 40 };

export function placeRoughly({ boxes, edges }: Level): Positions {
  const above = new Map<string, string[]>(boxes.map((box) => [box.id, []]));
  for (const { source, target } of edges) above.get(target)?.push(source);
  const depth = depths(boxes, above);
  const layers: Box[][] = [];
  for (const box of boxes) (layers[depth.get(box.id) ?? 0] ??= []).push(box);
  const at: Positions["at"] = new Map();
  const middle = new Map<string, number>();
  let [width, y] = [0, 0];
  for (const layer of layers) {
    const wanted = new Map(layer.map((box, index) => [box.id, mean(above.get(box.id) ?? [], middle) ?? index]));
    layer.sort((a, b) => (wanted.get(a.id) ?? 0) - (wanted.get(b.id) ?? 0));
    let x = 0;
    for (const box of layer) {
      at.set(box.id, { x, y });
      middle.set(box.id, x + box.width / 2);
      x += box.width + GAP.across;
    }
    width = Math.max(width, x - GAP.across);
    y += Math.max(...layer.map((box) => box.height)) + GAP.down;
  }
  return { at, bends: edges.map(() => []), width, height: Math.max(0, y - GAP.down) };
}

/** Return how many steps lie above each, on the longest way. */
function depths(boxes: readonly Box[], above: ReadonlyMap<string, string[]>): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (first: string) => {
    const path = [first];
    for (let id = path.at(-1); id !== undefined; id = path.at(-1)) {
      const open = (above.get(id) ?? []).find((each) => !found.has(each) && !path.includes(each));
      if (open !== undefined) path.push(open);
      else {
        found.set(id, Math.max(-1, ...(above.get(id) ?? []).map((each) => found.get(each) ?? -1)) + 1);
        path.pop();
      }
    }
  };
  for (const { id } of boxes) if (!found.has(id)) visit(id);
  return found;
}

function mean(ids: readonly string[], middle: ReadonlyMap<string, number>): number | null {
  const known = ids.flatMap((id) => middle.get(id) ?? []);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
}
