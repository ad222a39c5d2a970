/** JSON as a tree that folds, or as text. Values are text, whatever they hold; long lists and texts are cut. */

import { Anchor, Group, SegmentedControl } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";

import { count, plural } from "../model/money";
import { cut, LINE_LIMIT } from "../model/safe-text";
import { CopyButton } from "./copy-button";
import styles from "./json-view.module.css";
import { PlainText, TextBlock } from "./plain-text";

interface Props {
  value: unknown;
  /** How many levels are open at first. */
  open?: number;
  label?: string;
}

export function JsonView({ value, open = 2, label = "Data" }: Props) {
  const [form, setForm] = useState("tree");
  const text = () => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  const plain = typeof value === "string";
  return (
    <div className={styles.view}>
      <Group gap={4} className={styles.tools}>
        {!plain && (
          <SegmentedControl
            size="xs"
            aria-label={`${label}: how it is shown`}
            value={form}
            onChange={setForm}
            data={[
              { value: "tree", label: "Tree" },
              { value: "text", label: "Text" },
            ]}
          />
        )}
        <CopyButton value={text} label={`Copy ${label.toLowerCase()}`} />
      </Group>
      {plain || form === "text" ? <TextBlock text={text() ?? "undefined"} /> : <Tree value={value} open={open} />}
    </div>
  );
}

function Tree({ value, open }: { value: unknown; open: number }) {
  return (
    <div className={styles.tree}>
      <Node value={value} open={open} />
    </div>
  );
}

const FIRST = 50;

function Node({ name, value, open }: { name?: string; value: unknown; open: number }) {
  const [unfolded, setUnfolded] = useState(open > 0);
  const [most, setMost] = useState(FIRST);
  if (typeof value !== "object" || value === null) {
    return (
      <div className={styles.leaf}>
        <Name name={name} />
        <Scalar value={value} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries = list ? value.map((each, index) => [String(index), each] as const) : Object.entries(value);
  const size = list ? plural(entries.length, "item") : plural(entries.length, "field");
  if (entries.length === 0) {
    return (
      <div className={styles.leaf}>
        <Name name={name} />
        <span className={styles.quiet}>{list ? "[ ]" : "{ }"}</span>
      </div>
    );
  }
  return (
    <div>
      <button type="button" className={styles.fold} aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
        <IconChevronRight size={12} aria-hidden className={styles.chevron} />
        <Name name={name} />
        <span className={styles.quiet}>{size}</span>
      </button>
      {unfolded && (
        <div className={styles.inner}>
          {entries.slice(0, most).map(([key, each]) => (
            <Node key={key} name={key} value={each} open={open - 1} />
          ))}
          {entries.length > most && (
            <Anchor component="button" type="button" fz={12} onClick={() => setMost(most * 10)}>
              Show more ({count(entries.length - most)})
            </Anchor>
          )}
        </div>
      )}
    </div>
  );
}

function Name({ name }: { name?: string }) {
  if (name === undefined) return null;
  const { shown, rest } = cut(name, 200);
  return (
    <span className={styles.name}>
      <PlainText text={shown} />
      {rest > 0 && "…"}:
    </span>
  );
}

function Scalar({ value }: { value: unknown }) {
  const [most, setMost] = useState(LINE_LIMIT);
  if (typeof value !== "string") {
    return (
      <span className={typeof value === "number" ? styles.number : styles.word}>{value === undefined ? "undefined" : String(value)}</span>
    );
  }
  const { shown, rest } = cut(value, most);
  return (
    <span className={styles.text}>
      <PlainText text={shown} />
      {rest > 0 && (
        <Anchor component="button" type="button" fz={12} onClick={() => setMost(most * 10)}>
          {" "}
          Show more ({count(rest)} characters)
        </Anchor>
      )}
    </span>
  );
}
