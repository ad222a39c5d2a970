/** A part of the Command Center: what it is, how many, and where to see all of them. */

import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";

import type { Address } from "../../app/addresses";
import { PageLink } from "../../components/page-link";
import { count } from "../../model/money";
import styles from "./section.module.css";

interface Props {
  id: string;
  title: string;
  n?: number;
  /** The list in Runs that shows the same. */
  all?: Address;
  children: ReactNode;
  hint?: ReactNode;
}

export function Section({ id, title, n, all, hint, children }: Props) {
  return (
    <section aria-labelledby={id} className={styles.section}>
      <header className={styles.head}>
        <h2 id={id} tabIndex={-1}>
          {title}
          {n !== undefined && n > 0 && <span className={styles.count}>{count(n)}</span>}
        </h2>
        {hint}
        {all && n !== undefined && n > 0 && (
          <PageLink address={all} className={styles.all}>
            Show in Runs<span className="visually-hidden">: {title}</span>
          </PageLink>
        )}
      </header>
      {children}
    </section>
  );
}

export function Quiet({ children }: { children: ReactNode }) {
  return <p className={styles.quiet}>{children}</p>;
}

export function WaitingLines({ n }: { n: number }) {
  return (
    <div className={styles.lines} aria-busy="true">
      {Array.from({ length: n }, (_, index) => (
        <div key={index} className={styles.waiting}>
          <Skeleton height={10} width="45%" />
          <Skeleton height={10} width={72} />
        </div>
      ))}
    </div>
  );
}
