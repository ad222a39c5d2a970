/** A step's path: its id, and in loops which iteration: `each[3].send`. */

/** Return the path of what a step lies in: of `each[3].send` it is `each[3]`, of that `each`; null at the top. */
export function parentOf(path: string): string | null {
  const dot = path.lastIndexOf(".");
  const bracket = path.endsWith("]") ? path.lastIndexOf("[") : -1;
  const end = Math.max(dot, bracket);
  return end <= 0 ? null : path.slice(0, end);
}

/** Return the last part of a path: `send` of `each[3].send`, `each[3]` of itself. */
export function idOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** Return which iteration a path is, or null where it is none. */
export function iterationOf(path: string): number | null {
  const found = /\[(\d+)\]$/.exec(path);
  return found ? Number(found[1]) : null;
}

/** Return the path of the same step in the document, without iterations: `each.send`. */
export function templateOf(path: string): string {
  return path.replace(/\[\d+\]/g, "");
}

/** Return whether the one lies somewhere within the other. */
export function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && (path[outer.length] === "." || path[outer.length] === "[");
}
