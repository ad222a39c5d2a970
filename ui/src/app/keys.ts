/** Single keys of a page. They do nothing while somebody types, in dialogs and menus, or when they are switched off. */

import { useEffect, useRef } from "react";

import { preferences } from "./preferences";

export type KeyActions = Record<string, (event: KeyboardEvent) => unknown>;

export const KEYS_OF_LISTS: [string, string][] = [
  ["J", "Next row"],
  ["K", "Row before"],
  ["Enter", "Open the row"],
  ["X", "Select the row"],
  ["/", "Search"],
];

export const KEYS_OF_DECISIONS: [string, string][] = [
  ["A", "Approve"],
  ["R", "Reject"],
  ["E", "Edit, then approve"],
];

export const KEYS_OF_A_RUN: [string, string][] = [
  ["J", "Next step"],
  ["K", "Step before"],
  ["1 to 5", "Graph, timeline, events, context, cost"],
  [", and .", "One event back, one on"],
  ["A", "Decide the approval that waits"],
];

const TYPING = 'input, textarea, select, [contenteditable="true"], [role="dialog"], [role="menu"], [role="listbox"]';
const OWN_ENTER = "a, button, summary, [role=button], [role=option], [role=menuitem]";

export function useKeys(actions: KeyActions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !preferences().singleKeys) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(TYPING) || (event.key === "Enter" && target?.closest(OWN_ENTER))) return;
      const action = latest.current[event.key] ?? latest.current[event.key.toLowerCase()];
      if (!action) return;
      if (action(event) !== false) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
