/** What the palette offers for what was typed. */

export interface Offer {
  id: string;
  group: "Pages" | "Workflows" | "Agents" | "This id" | "Search" | "Actions";
  label: string;
  about?: string;
}

export type Pasted = { kind: "run" | "workflow" | "unknown"; id: string };

const PREFIXED = /\b(run|wf|task|evt|prj|view)_([0-9a-f]{24,32})(?![0-9a-f])/i;
const BARE = /\b([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|[0-9a-f]{24})\b/i;

/** Return the id in what was pasted: alone, within an address, or a bare UUID. */
export function pastedId(text: string): Pasted | null {
  const named = PREFIXED.exec(text);
  if (named) {
    const prefix = named[1]?.toLowerCase();
    if (prefix === "run" || prefix === "evt") return { kind: "run", id: `run_${named[2]}` };
    if (prefix === "wf") return { kind: "workflow", id: `wf_${named[2]}` };
    return { kind: "unknown", id: named[0] };
  }
  const bare = BARE.exec(text);
  return bare ? { kind: "run", id: bare[0] } : null;
}

/** Return how well the words of the label fit what was typed: 0 best; null not at all. */
export function fit(label: string, typed: string): number | null {
  const text = label.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (wanted === "" || text.startsWith(wanted)) return 0;
  if (text.split(/[\s/_-]+/).some((word) => word.startsWith(wanted))) return 1;
  if (text.includes(wanted)) return 2;
  let at = -1;
  for (const character of wanted) {
    at = text.indexOf(character, at + 1);
    if (at < 0) return null;
  }
  return 3;
}

/** Return the offers that fit, the best first within their groups. */
export function fitting<O extends Offer>(offers: readonly O[], typed: string): O[] {
  return offers
    .map((offer, order) => ({ offer, order, rank: fit(offer.label, typed) }))
    .filter((each) => each.rank !== null)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.order - b.order)
    .map(({ offer }) => offer);
}
