/** One clock for the whole console: who shows the time is shown anew when it has gone on. */

import { useSyncExternalStore } from "react";

interface Clock {
  now: number;
  /** Always the same function: React listens anew for every other one. */
  subscribe: (listener: () => void) => () => void;
  listeners: Set<() => void>;
  timer: ReturnType<typeof setInterval> | null;
}

const clocks = new Map<number, Clock>();

function clockOf(every: number): Clock {
  let clock = clocks.get(every);
  if (!clock) {
    const made: Clock = { now: Date.now(), listeners: new Set(), timer: null, subscribe: (listener) => listen(made, every, listener) };
    clocks.set(every, made);
    clock = made;
  }
  return clock;
}

/** Return ms since 1970, anew every so many ms. */
export function useNow(every: number): number {
  const clock = clockOf(every);
  return useSyncExternalStore(clock.subscribe, () => clock.now);
}

function listen(clock: Clock, every: number, listener: () => void): () => void {
  clock.listeners.add(listener);
  if (!clock.timer) {
    clock.now = Date.now(); // nobody looked for a while
    clock.timer = setInterval(() => {
      clock.now = Date.now();
      for (const each of clock.listeners) each();
    }, every);
  }
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size > 0 || !clock.timer) return;
    clearInterval(clock.timer);
    clock.timer = null;
  };
}
