/** JSON that somebody types. */

/** Return the value, or what is wrong with the text and where. */
export function readJson(text: string): { value: unknown } | { fault: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { fault: text.trim() === "" ? "This is empty: write JSON, as null" : `This is no JSON: ${said}` };
  }
}

/** Return the fields of the edited object that differ from the one before; all of it when either is no object. */
export function editsOf(before: unknown, after: unknown): Record<string, unknown> | null {
  if (!isObject(after)) return null;
  const base = isObject(before) ? before : {};
  const edits = Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(base[name]));
  return edits.length > 0 ? Object.fromEntries(edits) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
