/** The part of an address after `?`, as plain words: `status=failed&status=timed_out&q=refund`. No JSON in addresses. */

export type SearchValues = Record<string, string | string[] | undefined>;

/** Return the values; a name that stands several times has a list. */
export function readSearch(text: string): SearchValues {
  const values: SearchValues = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = values[name];
    values[name] = before === undefined ? value : [...listOf(before), value];
  }
  return values;
}

/** Return the text with its `?`; empty when there are no values. Empty values are left out. */
export function writeSearch(values: SearchValues): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of listOf(value)) if (each !== "") search.append(name, String(each));
  }
  // What means nothing special in a query is left readable.
  const text = search.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

export function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

export function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
