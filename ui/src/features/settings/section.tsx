/** A part of the settings: what it is about, and its fields. */

import type { ReactNode } from "react";

import styles from "./settings.module.css";

interface Props {
  title: string;
  text?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}

export function Section({ title, text, action, children }: Props) {
  return (
    <section className={styles.section}>
      <header className={styles.head}>
        <div>
          <h2>{title}</h2>
          {text && <p>{text}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

/** Where a value comes from. */
export function Source({ children }: { children: ReactNode }) {
  return <span className={styles.source}>{children}</span>;
}
