/** One calm live region for the whole console: what it is told is read to whoever cannot see it. */

import { useSyncExternalStore } from "react";

let said = "";
const listeners = new Set<() => void>();

export function announce(text: string): void {
  said = said === text ? `${text}\u00a0` : text; // the same words again are read again
  for (const listener of listeners) listener();
}

export function Announcements() {
  const text = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => said,
  );
  return (
    <div role="status" aria-live="polite" className="visually-hidden">
      {text}
    </div>
  );
}
