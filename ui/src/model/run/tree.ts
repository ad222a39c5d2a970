/** The steps of a run as a tree: a loop's iterations within the loop, their steps within them. */

import { idOf, iterationOf, parentOf } from "./paths";
import type { RunRecord, Step } from "./record";

/** A step of the document, as `/graph` tells it. */
export interface DrawnStep {
  id: string;
  type: string;
  name: string | null;
  steps?: DrawnGraph | null;
  /** How far it is, where the run's own record does not say: in a child run. */
  status?: string | null;
  reason?: string | null;
}

export interface DrawnGraph {
  nodes: DrawnStep[];
  edges: { source: string; target: string; when?: string | null }[];
}

export interface TreeNode {
  path: string;
  label: string;
  type: string;
  status: string;
  reason: string | null;
  /** Null: it has not begun. */
  step: Step | null;
  children: TreeNode[];
}

export interface TreeRow {
  node: TreeNode;
  level: number;
  /** Its place among its siblings, from 1, and how many they are. */
  place: number;
  of: number;
  /** Null: there is nothing to fold. */
  open: boolean | null;
}

/** Return the tree: the document's steps in its order, begun or not, then what only the run knows. */
export function treeOf(record: RunRecord, graph: DrawnGraph | null): TreeNode[] {
  const byParent = new Map<string | null, Step[]>();
  for (const step of record.steps.values()) {
    let parent = parentOf(step.path);
    while (parent !== null && !record.steps.has(parent)) parent = parentOf(parent);
    const siblings = byParent.get(parent);
    if (siblings) siblings.push(step);
    else byParent.set(parent, [step]);
  }
  return level(null, null, graph, byParent);
}

type ByParent = ReadonlyMap<string | null, Step[]>;

function level(parent: string | null, loop: DrawnStep | null, graph: DrawnGraph | null, byParent: ByParent): TreeNode[] {
  const begun = byParent.get(parent) ?? [];
  if (loop) return begun.sort(byIteration).map((step) => node(step.path, null, step, loop.steps ?? null, byParent));
  const byId = new Map(begun.map((step) => [step.id, step]));
  const drawn = (graph?.nodes ?? []).map((each) => {
    const path = parent === null ? each.id : `${parent}.${each.id}`;
    const step = byId.get(each.id) ?? null;
    byId.delete(each.id);
    return node(path, each, step, null, byParent);
  });
  return [...drawn, ...[...byId.values()].map((step) => node(step.path, null, step, null, byParent))];
}

function byIteration(a: Step, b: Step): number {
  return (iterationOf(a.path) ?? 0) - (iterationOf(b.path) ?? 0);
}

/** `inner`: what lies in each iteration, where this is one. */
function node(path: string, drawn: DrawnStep | null, step: Step | null, inner: DrawnGraph | null, byParent: ByParent): TreeNode {
  const iteration = iterationOf(path);
  const label = drawn?.name || (iteration === null ? idOf(path) : `#${iteration + 1}`);
  const children = step || inner ? level(path, drawn?.steps ? drawn : null, inner, byParent) : [];
  const pending = step ? step.status : "pending";
  return { path, label, type: step?.type || drawn?.type || "", status: pending, reason: step?.reason ?? null, step, children };
}

/** Return the rows that show: children only of what is open. */
export function rowsOf(tree: readonly TreeNode[], isOpen: (path: string) => boolean, at = 1): TreeRow[] {
  const rows: TreeRow[] = [];
  tree.forEach((each, index) => {
    const open = each.children.length === 0 ? null : isOpen(each.path);
    rows.push({ node: each, level: at, place: index + 1, of: tree.length, open });
    if (open) rows.push(...rowsOf(each.children, isOpen, at + 1));
  });
  return rows;
}

/** Return the paths of all that a step lies in. */
export function outerPaths(path: string): string[] {
  const found: string[] = [];
  for (let outer = parentOf(path); outer !== null; outer = parentOf(outer)) found.push(outer);
  return found;
}

/** Return how many ms the step took, or has taken until `now`; null when it has not begun. */
export function tookMs(step: Step | null, now: number): number | null {
  if (!step || step.from === null) return null;
  return Math.max(0, (step.to ?? now) - step.from);
}
