/** Amounts as text. The API sends US dollars as decimal strings: they are never summed as floats here. */

/** Return the amount with as many digits as tell it apart from zero: `$1.20`, `$0.0042`, `<$0.0001`, `$0`. */
export function money(usd: string | number | null | undefined): string {
  const value = Number(usd ?? 0);
  if (!Number.isFinite(value)) return "-";
  if (value === 0) return "$0";
  const size = Math.abs(value);
  if (size < 0.0001) return "<$0.0001";
  if (size < 0.01) return `$${value.toFixed(4)}`;
  if (size < 1) return `$${value.toFixed(3)}`;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** Return a number with thousands parted: `12,345`. */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** Return a large number in few characters: `1.2k`, `3.4M`. */
export function compact(n: number): string {
  return n < 1000 ? String(n) : n.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 }).replace("K", "k");
}

/** Return a part of a whole: `99.4%`; null when there is no whole. */
export function percent(ratio: number | null | undefined): string {
  return ratio === null || ratio === undefined ? "-" : `${(ratio * 100).toLocaleString("en-US", { maximumFractionDigits: 1 })}%`;
}

/** Return `1 run`, `3 runs`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
