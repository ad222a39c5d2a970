/**
 * Text from runs, made safe to look at: characters that draw nothing, or that turn the reading direction round, are shown
 * as what they are, and long texts are cut. Whoever shows text from a run shows the pieces of `pieces`.
 */

export interface Piece {
  text: string;
  /** Set for a character that would not show: its name, for the reader. */
  hidden?: string;
}

const NAMES: Record<number, string> = {
  0x00: "NUL",
  0x07: "BEL",
  0x08: "BS",
  0x0b: "VT",
  0x0c: "FF",
  0x1b: "ESC",
  0x7f: "DEL",
  0x00ad: "soft hyphen",
  0x061c: "Arabic letter mark",
  0x200b: "zero width space",
  0x200c: "zero width non-joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

// Controls but tab and line feed, directional marks, invisible characters. A zero width joiner is part of emoji: it stays.
// eslint-disable-next-line no-control-regex
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Return the text in pieces; a hidden character is a piece of its own, with a sign that shows. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push(sign(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from) });
  return found;
}

function sign(character: string): Piece {
  const code = character.codePointAt(0) ?? 0;
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const text = code < 0x20 ? String.fromCodePoint(0x2400 + code) : code === 0x7f ? "\u2421" : hex;
  const name = NAMES[code];
  return { text, hidden: name ? `${hex} ${name}` : hex };
}

/** Return the text as one line for a cell, with signs in place of what would not show. */
export function oneLine(text: string): string {
  return text.replace(/[\n\t\r]+/g, " ").replace(HIDDEN, (character) => sign(character).text);
}

export const LINE_LIMIT = 2_000;
export const TEXT_LIMIT = 20_000;

export interface Cut {
  shown: string;
  /** How many characters are left out; 0 when the text is whole. */
  rest: number;
}

/** Return the beginning of a text, never half of a character pair. */
export function cut(text: string, limit = TEXT_LIMIT): Cut {
  if (text.length <= limit) return { shown: text, rest: 0 };
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return { shown: text.slice(0, end), rest: text.length - end };
}
