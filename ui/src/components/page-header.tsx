/** The head of a page: what it is, and what one can do there. */

import type { ReactNode } from "react";

import { useTitle } from "../app/title";
import styles from "./page-header.module.css";

interface Props {
  /** Also the title of the browser's tab. */
  title: string;
  /** Above the title: where the page belongs, as links. */
  above?: ReactNode;
  /** Behind the title, as a count or a badge. */
  mark?: ReactNode;
  text?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, above, mark, text, actions }: Props) {
  useTitle(title);
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        {above && <div className={styles.above}>{above}</div>}
        <h1 className={styles.title} tabIndex={-1}>
          {title}
          {mark}
        </h1>
        {text && <p className={styles.text}>{text}</p>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
