/** Text from a run: always text, what hides in it shown, long texts cut. */

import { Anchor } from "@mantine/core";
import { useMemo, useState } from "react";

import { count } from "../model/money";
import { cut, pieces, TEXT_LIMIT } from "../model/safe-text";
import styles from "./plain-text.module.css";

/** The text itself, for within a line. */
export function PlainText({ text }: { text: string }) {
  const parts = useMemo(() => pieces(text), [text]);
  return (
    <bdi>
      {parts.map((piece, index) =>
        piece.hidden ? (
          <span key={index} className={styles.hidden} title={piece.hidden}>
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}

/** A text of any length on lines of its own. */
export function TextBlock({ text, limit = TEXT_LIMIT }: { text: string; limit?: number }) {
  const [most, setMost] = useState(limit);
  const { shown, rest } = cut(text, most);
  return (
    <div className={styles.block} tabIndex={0} role="group" aria-label="Text">
      <PlainText text={shown} />
      {rest > 0 && (
        <div>
          <Anchor component="button" type="button" fz={12} onClick={() => setMost(most + 10 * limit)}>
            Show more ({count(rest)} characters)
          </Anchor>
        </div>
      )}
    </div>
  );
}
