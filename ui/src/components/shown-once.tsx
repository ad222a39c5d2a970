/** A text that is told once and never again: a key, a link. */

import { CopyButton } from "./copy-button";
import styles from "./shown-once.module.css";

export function ShownOnce({ text, label, note }: { text: string; label: string; note: string }) {
  return (
    <div className={styles.once}>
      <p>{note}</p>
      <div className={styles.text}>
        <code>{text}</code>
        <CopyButton value={text} label={`Copy ${label}`} size={16} />
      </div>
    </div>
  );
}
