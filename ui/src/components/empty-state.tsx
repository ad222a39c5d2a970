/**
 * Where there is nothing to show, it says why and what to do next. There are four kinds: nothing yet, nothing matches,
 * no permission, not reachable. The last two are `Trouble`'s.
 */

import type { ReactNode } from "react";

import styles from "./empty-state.module.css";

interface Props {
  icon: ReactNode;
  title: string;
  text?: ReactNode;
  action?: ReactNode;
  foot?: ReactNode;
  whole?: boolean;
}

export function EmptyState({ icon, title, text, action, foot, whole }: Props) {
  return (
    <div className={whole ? styles.whole : styles.part}>
      <div className={styles.icon} aria-hidden>
        {icon}
      </div>
      <h2 className={styles.title}>{title}</h2>
      {text && <p className={styles.text}>{text}</p>}
      {action && <div className={styles.action}>{action}</div>}
      {foot && <div className={styles.foot}>{foot}</div>}
    </div>
  );
}
