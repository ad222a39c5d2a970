/** Moments and durations as text. Moments come as RFC 3339 UTC, durations in ms. Nothing here reads a clock. */

/** `local`: the browser's own; otherwise `UTC` or an IANA name. */
export type TimeZone = string;

const zones = new Map<string, Intl.DateTimeFormat>();

function format(zone: TimeZone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}|${JSON.stringify(options)}`;
  let known = zones.get(key);
  if (!known) {
    const timeZone = zone === "local" ? undefined : zone;
    known = new Intl.DateTimeFormat("en-US", { ...options, timeZone });
    zones.set(key, known);
  }
  return known;
}

const DAY: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric" };
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

/** Return day and time to the second: `Jun 12, 2026, 03:23:07`. */
export function fullMoment(at: string | number, zone: TimeZone): string {
  return format(zone, { ...DAY, ...CLOCK }).format(new Date(at));
}

/** Return the moment as short as can be told apart today: `03:23:07` today, `Jun 12, 03:23` this year, else with the year. */
export function shortMoment(at: string | number, now: number, zone: TimeZone): string {
  const date = new Date(at);
  const day = format(zone, DAY);
  if (day.format(date) === day.format(now)) return format(zone, CLOCK).format(date);
  const year = format(zone, { year: "numeric" });
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (year.format(date) === year.format(now)) return format(zone, { month: "short", day: "numeric", ...clock }).format(date);
  return format(zone, { ...DAY, ...clock }).format(date);
}

/** Return only the time, to the ms where `precise`. */
export function clockTime(at: string | number, zone: TimeZone, precise = false): string {
  return format(zone, precise ? { ...CLOCK, fractionalSecondDigits: 3 } : CLOCK).format(new Date(at));
}

/** Return how long ago: `just now`, `4 min ago`, `3 d ago`; `in 4 min` of what is to come. */
export function ago(at: string | number, now: number): string {
  const ms = now - new Date(at).getTime();
  const size = Math.abs(ms);
  if (size < 10_000) return ms < 0 ? "now" : "just now";
  const words = size < 60_000 ? `${Math.floor(size / 1000)} s` : size < 3_600_000 ? `${Math.floor(size / 60_000)} min` : longer(size);
  return ms < 0 ? `in ${words}` : `${words} ago`;
}

function longer(ms: number): string {
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  const days = Math.floor(ms / 86_400_000);
  return days < 60 ? `${days} d` : days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`;
}

/** Return a duration in at most two units: `832 ms`, `4.2 s`, `3 min 07 s`, `2 h 04 min`, `5 d 3 h`. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** Return the ms from one moment to another; null when either is not known. */
export function between(from: string | null | undefined, to: string | number | null | undefined): number | null {
  if (!from || to === null || to === undefined) return null;
  return new Date(to).getTime() - new Date(from).getTime();
}

/** Return the day of a moment in the zone, as `2026-06-12`. */
export function dayOf(at: string | number, zone: TimeZone): string {
  return wallClock(new Date(at).getTime(), zone).slice(0, 10);
}

/** Return the moment at which a day begins in the zone, or the one `later` days on. */
export function startOfDay(day: string, zone: TimeZone, later = 0): string {
  const wanted = Date.parse(`${day}T00:00:00Z`) + later * 86_400_000;
  const offset = (at: number) => Date.parse(`${wallClock(at, zone)}Z`) - at;
  const near = wanted - offset(wanted);
  return new Date(wanted - offset(near)).toISOString().replace(".000Z", "Z");
}

/** Return day and time as a clock on the wall shows them, to the second. */
function wallClock(at: number, zone: TimeZone): string {
  const parts = format(zone, { year: "numeric", month: "2-digit", day: "2-digit", ...CLOCK }).formatToParts(at);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "00";
  return `${of("year")}-${of("month")}-${of("day")}T${of("hour")}:${of("minute")}:${of("second")}`;
}

/** Return a moment as a day, with its time unless that is midnight. */
export function dayMoment(at: string, zone: TimeZone): string {
  const time = new Date(at).getTime();
  if (Number.isNaN(time)) return at;
  const midnight = wallClock(time, zone).endsWith("T00:00:00");
  return format(zone, midnight ? DAY : { ...DAY, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(time);
}
