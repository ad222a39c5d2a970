/** Something that one should know here, in the colour of a tone. */

import type { ReactNode } from "react";

import type { Tone } from "../model/status";
import styles from "./note.module.css";

interface Props {
  tone?: Tone;
  icon?: ReactNode;
  title?: string;
  children?: ReactNode;
  /** What can be done about it. */
  action?: ReactNode;
}

export function Note({ tone = "amber", icon, title, children, action }: Props) {
  const colours = { "--tone": `var(--tone-${tone})`, "--tone-ink": `var(--tone-${tone}-ink)` } as React.CSSProperties;
  return (
    <div role="note" className={styles.note} style={colours}>
      {icon}
      <div className={styles.words}>
        {title && <strong>{title}</strong>}
        {children}
      </div>
      {action}
    </div>
  );
}
