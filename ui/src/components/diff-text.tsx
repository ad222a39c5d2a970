/** What differs between two texts, and a unified diff of lines. Added and removed are told by signs as well as colours. */

import { useMemo } from "react";

import { unifiedLines, wordDiff } from "../model/text-diff";
import styles from "./diff-text.module.css";
import { PlainText } from "./plain-text";

/** Words of `after` that are not in `before`, and the other way round. */
export function WordDiff({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => wordDiff(before, after), [before, after]);
  if (parts.every((part) => part.kind === "same")) return <p className={styles.same}>No difference.</p>;
  return (
    <div className={styles.words} tabIndex={0} role="group" aria-label="Difference">
      {parts.map((part, index) =>
        part.kind === "added" ? (
          <ins key={index}>
            <PlainText text={part.text} />
          </ins>
        ) : part.kind === "removed" ? (
          <del key={index}>
            <PlainText text={part.text} />
          </del>
        ) : (
          <PlainText key={index} text={part.text} />
        ),
      )}
    </div>
  );
}

const SIGNS = { same: " ", added: "+", removed: "-", place: "" };

export function LineDiff({ text }: { text: string }) {
  return (
    <div className={styles.lines} tabIndex={0} role="group" aria-label="Difference">
      {unifiedLines(text).map((line, index) => (
        <div key={index} data-kind={line.kind}>
          <span className={styles.sign}>{SIGNS[line.kind]}</span>
          <PlainText text={line.text} />
        </div>
      ))}
    </div>
  );
}
