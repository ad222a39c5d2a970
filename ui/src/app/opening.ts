/** Something that is open or not, and that anybody may open: the palette, the list of shortcuts. */

import { useSyncExternalStore } from "react";

export interface Opening {
  open: () => void;
  close: () => void;
  useOpened: () => boolean;
}

export function opening(): Opening {
  let opened = false;
  const listeners = new Set<() => void>();
  const set = (next: boolean) => {
    opened = next;
    for (const listener of listeners) listener();
  };
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { open: () => set(true), close: () => set(false), useOpened: () => useSyncExternalStore(subscribe, () => opened) };
}
