/** A row of tabs, as the pattern of the web's accessibility guide wants it: one stop, arrows go along. */

import type { KeyboardEvent, ReactNode } from "react";

import styles from "./tab-list.module.css";

interface Tab {
  id: string;
  label: string;
  mark?: ReactNode;
}

interface Props {
  label: string;
  /** Also the beginning of the ids by which tabs and panels know each other. */
  name: string;
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (id: string) => void;
  children?: ReactNode;
}

export function TabList({ label, name, tabs, chosen, onChoose, children }: Props) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.findIndex((tab) => tab.id === chosen);
    const next = event.key === "Home" ? tabs[0] : event.key === "End" ? tabs.at(-1) : by && tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChoose(next.id);
    requestAnimationFrame(() => document.getElementById(`${name}-tab-${next.id}`)?.focus());
  };
  return (
    <div className={styles.bar}>
      <div role="tablist" aria-label={label} className={styles.tabs} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${name}-tab-${tab.id}`}
            aria-selected={tab.id === chosen}
            aria-controls={tab.id === chosen ? `${name}-panel` : undefined}
            tabIndex={tab.id === chosen ? 0 : -1}
            className={styles.tab}
            onClick={() => onChoose(tab.id)}
          >
            {tab.label}
            {tab.mark !== undefined && <span className={styles.mark}>{tab.mark}</span>}
          </button>
        ))}
      </div>
      {children}
    </div>
  );
}
