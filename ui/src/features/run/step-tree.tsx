/** The steps as a tree: what the graph shows, for the keyboard and for those who do not see it. Only rows in sight are drawn. */

import { IconChevronRight } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, type KeyboardEvent } from "react";

import { PlainText } from "../../components/plain-text";
import { StatusIcon } from "../../components/status-icon";
import { rowsOf, tookMs, type TreeRow } from "../../model/run/tree";
import { stepLook } from "../../model/status";
import { duration } from "../../model/time";
import { revealPanel } from "./reveal";
import { useRunPage } from "./run-page";
import styles from "./step-tree.module.css";

const ROW = 30;

export function StepTree() {
  const { tree, isOpen, toggle, chosen, choose, now } = useRunPage();
  const rows = useMemo(() => rowsOf(tree, isOpen), [tree, isOpen]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 12 });
  const at = rows.findIndex((row) => row.node.path === chosen);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);

  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    const go = (index: number) => rows[index] && choose(rows[index].node.path);
    if (event.key === "ArrowDown") go(Math.min(rows.length - 1, at + 1));
    else if (event.key === "ArrowUp") go(Math.max(0, at - 1));
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if (event.key === "ArrowRight" && row?.open === false) toggle(row.node.path);
    else if (event.key === "ArrowLeft" && row?.open === true) toggle(row.node.path);
    else if (event.key === "ArrowLeft" && row) go(rows.findLastIndex((each, index) => index < at && each.level < row.level));
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      className={styles.tree}
      role="tree"
      aria-label="Steps"
      tabIndex={0}
      aria-activedescendant={at >= 0 ? `step-row-${at}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div className={styles.all} style={{ height: virtual.getTotalSize() }} role="none">
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index] as TreeRow;
          return (
            <Row
              key={row.node.path}
              row={row}
              id={`step-row-${index}`}
              top={start}
              chosen={index === at}
              took={tookMs(row.node.step, now)}
              onChoose={choose}
              onToggle={toggle}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  row: TreeRow;
  id: string;
  top: number;
  chosen: boolean;
  took: number | null;
  onChoose: (path: string) => void;
  onToggle: (path: string) => void;
}

function Row({ row: { node, level, place, of, open }, id, top, chosen, took, onChoose, onToggle }: RowProps) {
  const look = stepLook(node.status, node.reason);
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={level}
      aria-posinset={place}
      aria-setsize={of}
      aria-expanded={open ?? undefined}
      aria-selected={chosen}
      data-path={node.path}
      data-status={node.status}
      className={styles.row}
      style={{ transform: `translateY(${top}px)`, paddingLeft: 8 + (level - 1) * 14 }}
      onClick={() => {
        onChoose(node.path);
        revealPanel();
      }}
    >
      <span
        className={styles.fold}
        data-open={open ?? undefined}
        onClick={(event) => {
          if (open === null) return;
          event.stopPropagation();
          onToggle(node.path);
        }}
      >
        {open !== null && <IconChevronRight size={14} aria-hidden />}
      </span>
      <StatusIcon icon={look.icon} tone={look.tone} />
      <span className={styles.label} data-quiet={node.status === "pending" || node.status === "skipped" || undefined}>
        <PlainText text={node.label} />
        <span className="visually-hidden">, {look.label}, </span>
      </span>
      <span className={styles.took}>{took === null ? "" : duration(took)}</span>
    </div>
  );
}
