/** What differs between two texts, word by word or line by line: a longest common subsequence of the parts. */

export interface DiffPart {
  kind: "same" | "added" | "removed";
  text: string;
}

/** Above this many pairs of parts it is told as a whole: the table would be too large. */
const MOST_PAIRS = 4_000_000;

export function wordDiff(before: string, after: string): DiffPart[] {
  return diff(before.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [], after.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []);
}

function diff(before: readonly string[], after: readonly string[]): DiffPart[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end])
    end += 1;
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  const middle: DiffPart[] =
    old.length * now.length > MOST_PAIRS
      ? [
          { kind: "removed", text: old.join("") },
          { kind: "added", text: now.join("") },
        ]
      : between(old, now);
  return joined([
    { kind: "same", text: before.slice(0, start).join("") },
    ...middle,
    { kind: "same", text: before.slice(before.length - end).join("") },
  ]);
}

function between(old: readonly string[], now: readonly string[]): DiffPart[] {
  const width = now.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        old[i] === now[j] ? longest[(i + 1) * width + j + 1]! + 1 : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const parts: DiffPart[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      parts.push({ kind: "same", text: old[i]! });
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      parts.push({ kind: "removed", text: old[i]! });
      i += 1;
    } else {
      parts.push({ kind: "added", text: now[j]! });
      j += 1;
    }
  }
  return parts;
}

/** Parts of one kind that stand together are one. */
function joined(parts: readonly DiffPart[]): DiffPart[] {
  const out: DiffPart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part.text === "") continue;
    if (last?.kind === part.kind) last.text += part.text;
    else out.push({ ...part });
  }
  return out;
}

export interface DiffLine {
  kind: "same" | "added" | "removed" | "place";
  text: string;
}

/** Return the lines of a unified diff, without the names of the files. */
export function unifiedLines(text: string): DiffLine[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("--- ") && !line.startsWith("+++ "))
    .map((line) => {
      if (line.startsWith("@@")) return { kind: "place", text: line };
      if (line.startsWith("+")) return { kind: "added", text: line.slice(1) };
      return line.startsWith("-") ? { kind: "removed", text: line.slice(1) } : { kind: "same", text: line.slice(1) };
    });
}
