/** Help with writing a search: where the caret is in it, what could stand there, and what the text is then. */

import { quoted } from "./run-choices";

export interface SearchField {
  name: string;
  types: string[];
  description?: string;
  example?: string;
  aliases?: string[];
  values?: string[];
}

/** What is being written: the name of a field or a word, or a value of a field. `start` to `end` is what a choice replaces. */
export type Writing =
  | { kind: "field"; start: number; end: number; typed: string }
  | { kind: "value"; start: number; end: number; typed: string; field: string };

export interface Suggestion {
  /** What is shown, and what is written in place of what was typed. */
  text: string;
  insert: string;
  about?: string;
  kind: "field" | "value";
}

const NAME = /^-?\(*-?((?:[A-Za-z_][\w$-]*)(?:\.(?:[\w$-]+|"(?:[^"\\]|\\.)*")(?:\[\])?)*(?:\[\])?)(:|=|!=|>=|<=|>|<)/;

/** Return what is being written at the caret; null within a quoted text. */
export function writingAt(text: string, caret: number): Writing | null {
  const start = startOfTerm(text, caret);
  if (start === null) return null;
  const term = text.slice(start, caret);
  const named = NAME.exec(term);
  const end = endOfWord(text, caret);
  if (!named) {
    const lead = /^[-(]*/.exec(term)?.[0].length ?? 0;
    return { kind: "field", start: start + lead, end, typed: term.slice(lead) };
  }
  const rest = term.slice(named[0].length);
  const operator = /^(!=|>=|<=|>|<|=|!~|~)?/.exec(rest)?.[0].length ?? 0;
  const comma = rest.lastIndexOf(",");
  const from = start + named[0].length + Math.max(operator, comma + 1);
  return { kind: "value", start: from, end, typed: text.slice(from, caret).replace(/^"/, ""), field: named[1] ?? "" };
}

/** Return where the term with the caret begins; null when the caret is within quotes that belong to no field. */
function startOfTerm(text: string, caret: number): number | null {
  let start = 0;
  let quotes = false;
  for (let at = 0; at < caret; at += 1) {
    const character = text[at];
    if (quotes && character === "\\") at += 1;
    else if (character === '"') quotes = !quotes;
    else if (!quotes && /\s/.test(character ?? "")) start = at + 1;
  }
  return quotes && !NAME.test(text.slice(start, caret)) ? null : start;
}

function endOfWord(text: string, caret: number): number {
  const rest = /^[^\s,()]*/.exec(text.slice(caret));
  return caret + (rest?.[0].length ?? 0);
}

const DATES: [string, string][] = [
  [">-1h", "within the last hour"],
  [">-24h", "within the last 24 hours"],
  [">-7d", "within the last 7 days"],
  ["today", "since midnight, UTC"],
  ["yesterday", "the day before, UTC"],
];
const MOST = 12;

/** Return where the text has a character, counted as the server does: an emoji is one. */
export function offsetOf(text: string, characters: number): number {
  let offset = 0;
  for (const character of text) {
    if (characters <= 0) break;
    characters -= 1;
    offset += character.length;
  }
  return offset;
}

/** Return what could stand there, the likeliest first. */
export function suggestions(writing: Writing, fields: readonly SearchField[]): Suggestion[] {
  return writing.kind === "field" ? fieldsFor(writing.typed, fields) : valuesFor(writing, fields);
}

function fieldsFor(typed: string, fields: readonly SearchField[]): Suggestion[] {
  const wanted = typed.toLowerCase();
  const fitting = fields.filter((field) => !field.name.includes("<"));
  const ranked = fitting
    .map((field, order) => ({ field, order, rank: rankOf(field, wanted) }))
    .filter(({ rank }) => rank < 9)
    .sort((a, b) => a.rank - b.rank || a.order - b.order);
  return ranked.slice(0, MOST).map(({ field }) => ({
    text: field.name,
    insert: `${field.name}:`,
    about: field.description || field.types.join(" or "),
    kind: "field",
  }));
}

function rankOf(field: SearchField, wanted: string): number {
  const name = field.name.toLowerCase();
  if (name.startsWith(wanted)) return 0;
  if (field.aliases?.some((alias) => alias.toLowerCase().startsWith(wanted))) return 1;
  if (name.includes(wanted)) return 2;
  return wanted.length > 2 && field.description?.toLowerCase().includes(wanted) ? 3 : 9;
}

function valuesFor(writing: Writing & { kind: "value" }, fields: readonly SearchField[]): Suggestion[] {
  const name = writing.field.toLowerCase();
  const field = fields.find((each) => each.name.toLowerCase() === name || each.aliases?.some((alias) => alias.toLowerCase() === name));
  if (!field) return [];
  const typed = writing.typed.toLowerCase();
  const known: Suggestion[] = (field.values ?? []).map((value) => ({ text: value, insert: quoted(value), kind: "value" }));
  const dates: Suggestion[] = field.types.includes("date")
    ? DATES.map(([text, about]) => ({ text, insert: text, about, kind: "value" }))
    : [];
  const found = [...known, ...dates].filter(({ text }) => text.toLowerCase().includes(typed));
  return found
    .sort((a, b) => Number(b.text.toLowerCase().startsWith(typed)) - Number(a.text.toLowerCase().startsWith(typed)))
    .slice(0, MOST);
}

/** Return the text with the suggestion in it, and where the caret is then. A value that is whole is followed by a space. */
export function accepted(text: string, writing: Writing, suggestion: Suggestion): { text: string; caret: number } {
  const rest = text.slice(writing.end);
  const space = suggestion.kind === "value" && !/^[\s,)]/.test(rest) ? " " : "";
  const before = text.slice(0, writing.start) + suggestion.insert + space;
  return { text: before + rest, caret: before.length };
}
