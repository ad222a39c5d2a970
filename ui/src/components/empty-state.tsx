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
  /** It stands for the page, so its title is the page's. */
  page?: boolean;
}

export function EmptyState({ icon, title, text, action, foot, whole, page = whole }: Props) {
  const Title = page ? "h1" : "h2";
  return (
    <div className={whole ? styles.whole : styles.part}>
      <div className={styles.icon} aria-hidden>
        {icon}
      </div>
      <Title className={styles.title}>{title}</Title>
      {text && <p className={styles.text}>{text}</p>}
      {action && <div className={styles.action}>{action}</div>}
      {foot && <div className={styles.foot}>{foot}</div>}
    </div>
  );
}
