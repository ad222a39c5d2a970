/** Reading what is typed into settings. Pure. */

/** Return the whole number, null for nothing; or what is wrong with it. */
export function readWhole(text: string, least = 1, most = 1_000_000): { value: number | null; fault?: string } {
  const typed = text.trim().replaceAll(/[ ,_]/g, "");
  if (typed === "") return { value: null };
  const value = Number(typed);
  if (!/^\d+$/.test(typed) || value < least || value > most) {
    return { value: null, fault: `This must be a whole number from ${least} to ${most.toLocaleString("en-US")}, or nothing.` };
  }
  return { value };
}

export interface DraftRule {
  workflow: string | null;
  statuses: string[];
  days: string;
}

/** Return what is wrong with a rule of retention; null when nothing is. */
export function ruleFault(rule: DraftRule): string | null {
  if (!rule.workflow && rule.statuses.length === 0) return "Choose a workflow, statuses, or both.";
  return readWhole(rule.days, 1, 36_500).fault ?? null;
}

/** Return for how long, in words. */
export function keptFor(days: number | null | undefined): string {
  if (days === null || days === undefined) return "for ever";
  return days === 1 ? "1 day" : `${days.toLocaleString("en-US")} days`;
}
