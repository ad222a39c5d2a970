/** The table of runs. Its rows are links: J and K go through them, Enter opens one, X selects it. */

import { Checkbox, Skeleton } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useRef, type MouseEvent } from "react";

import type { RunSummary } from "../../api/runs";
import type { Address } from "../../app/addresses";
import { useKeys } from "../../app/keys";
import { PageLink } from "../../components/page-link";
import table from "../../components/table.module.css";
import { oneLine } from "../../model/safe-text";
import { columnsOf, type ColumnInfo } from "../../model/run-columns";
import { isSelected, select, shareOf, type Selection } from "../../model/selection";
import { cellOf } from "./cells";
import styles from "./runs-table.module.css";

interface Props {
  rows: readonly RunSummary[];
  columns: string[];
  isLoading: boolean;
  /** What is shown is of the list before. */
  isOld: boolean;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  addressOf: (run: RunSummary) => Address;
}

export function RunsTable({ rows, columns, isLoading, isOld, selection, onSelect, addressOf }: Props) {
  const shown = columnsOf(columns);
  const body = useRef<HTMLTableSectionElement>(null);
  const ids = rows.map((run) => run.id);
  const share = shareOf(selection, ids);
  useListKeys(body, (index) => {
    const run = rows[index];
    if (run) onSelect(select(selection, [run.id], !isSelected(selection, run.id)));
  });
  return (
    <table className={`${table.table} ${styles.table}`} aria-busy={isLoading || isOld} data-old={isOld || undefined}>
      <thead>
        <tr>
          <th scope="col" className={styles.box}>
            <Checkbox
              aria-label="Select all rows of this page"
              checked={share === "all" && rows.length > 0}
              indeterminate={share === "some"}
              disabled={rows.length === 0}
              onChange={() => onSelect(select(selection, ids, share !== "all"))}
            />
          </th>
          {shown.map((column) => (
            <th
              key={column.id}
              scope="col"
              style={{ minWidth: column.width }}
              data-right={column.right || undefined}
              data-column={column.id}
            >
              {column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {isLoading
          ? Array.from({ length: 12 }, (_, index) => <WaitingRow key={index} columns={shown} />)
          : rows.map((run) => (
              <Row
                key={run.id}
                run={run}
                columns={shown}
                address={addressOf(run)}
                isSelected={isSelected(selection, run.id)}
                onSelect={(wanted) => onSelect(select(selection, [run.id], wanted))}
              />
            ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  run: RunSummary;
  columns: ColumnInfo[];
  address: Address;
  isSelected: boolean;
  onSelect: (wanted: boolean) => void;
}

function Row({ run, columns, address, isSelected, onSelect }: RowProps) {
  const navigate = useNavigate();
  const open = (event: MouseEvent) => {
    const target = event.target as Element;
    if (event.defaultPrevented || target.closest("a, button, input, label") || window.getSelection()?.toString()) return;
    void navigate({ to: address.to, search: (address.search ?? {}) as never });
  };
  const flow = columns.some((column) => column.id === "flow") ? "flow" : columns[0]?.id;
  return (
    <tr onClick={open} data-selected={isSelected || undefined} data-run={run.id}>
      <td className={styles.box}>
        <Checkbox
          aria-label={`Select the run ${run.id}`}
          checked={isSelected}
          onChange={(event) => onSelect(event.currentTarget.checked)}
        />
      </td>
      {columns.map((column) => (
        <td key={column.id} data-right={column.right || undefined} data-column={column.id} style={{ maxWidth: column.width * 1.6 }}>
          {column.id === flow ? (
            <PageLink address={address} className={styles.link}>
              {column.id === "flow" ? oneLine(run.workflow.name || run.workflow.slug) : cellOf(column.id, run)}
              <span className="visually-hidden">, run {run.id}</span>
            </PageLink>
          ) : (
            cellOf(column.id, run)
          )}
          {column.id === "flow" && run.archived_at && <span className={styles.archived}>archived</span>}
        </td>
      ))}
    </tr>
  );
}

function WaitingRow({ columns }: { columns: ColumnInfo[] }) {
  return (
    <tr>
      <td className={styles.box}>
        <Skeleton height={14} width={14} radius={3} />
      </td>
      {columns.map((column) => (
        <td key={column.id} data-column={column.id}>
          <Skeleton height={10} width={column.right ? 40 : Math.min(column.width * 0.6, 120)} ml={column.right ? "auto" : 0} />
        </td>
      ))}
    </tr>
  );
}

/** J and K go down and up; the row is the one whose link has the focus. */
function useListKeys(body: React.RefObject<HTMLTableSectionElement | null>, toggle: (index: number) => void): void {
  const links = () => [...(body.current?.querySelectorAll<HTMLAnchorElement>(`.${styles.link}`) ?? [])];
  const at = () => links().findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  const go = (by: number) => {
    const all = links();
    const index = at();
    const next = all[index < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, index + by))];
    next?.focus({ preventScroll: true });
    next?.closest("tr")?.scrollIntoView({ block: "nearest" });
  };
  useKeys({
    j: () => go(1),
    k: () => go(-1),
    x: () => {
      const index = at();
      if (index < 0) return false;
      toggle(index);
      const row = links()[index]?.closest("tr"); // the bar that comes up must not cover it
      setTimeout(() => row?.scrollIntoView({ block: "nearest" }), 50);
      return true;
    },
  });
}
