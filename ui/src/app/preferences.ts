/** What somebody chose for this browser. It is kept in it, and read by every tab. */

import { useSyncExternalStore } from "react";

export interface Preferences {
  /** `local`, `UTC` or an IANA name. */
  timeZone: string;
  /** Whether a single key, as J, does something. */
  singleKeys: boolean;
}

const KEY = "runwell.preferences";
const DEFAULTS: Preferences = { timeZone: "local", singleKeys: true };
const listeners = new Set<() => void>();
let current = read();

function read(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    return DEFAULTS;
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  current = read();
  tell();
});

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  tell();
}

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
