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

/** Return the IANA name of the zone. */
export function zoneName(zone: TimeZone): string {
  return zone === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

/** Return the moment at which the day (`2026-06-12`) begins in the zone. */
export function dayStart(day: string, zone: TimeZone): string {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // The zone's distance from UTC is looked up twice: the clocks may change between UTC's midnight and the zone's.
  const first = midnight - distance(midnight, zone);
  return new Date(midnight - distance(first, zone)).toISOString();
}

/** Return the day on which the moment lies in the zone, as `2026-06-12`. */
export function dayOf(at: string | number, zone: TimeZone): string {
  const moment = new Date(at).getTime();
  return new Date(moment + distance(moment, zone)).toISOString().slice(0, 10);
}

function distance(at: number, zone: TimeZone): number {
  const parts = format(zone, { year: "numeric", month: "2-digit", day: "2-digit", ...CLOCK }).formatToParts(at);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - Math.floor(at / 1000) * 1000;
}

/** Return how a moment on an axis reads, given how far its neighbours are. */
export function axisMoment(at: number, step: number, zone: TimeZone): string {
  if (step < 60_000) return format(zone, CLOCK).format(at);
  if (step < 86_400_000) {
    const time = format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
    return time === "00:00" ? format(zone, { month: "short", day: "numeric" }).format(at) : time;
  }
  return format(zone, { month: "short", day: "numeric" }).format(at);
}
