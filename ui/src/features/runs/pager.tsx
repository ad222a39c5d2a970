/** Rows per page, and the pages before and behind. A page is found by a cursor, so pages do not shift. */

import { Button, NativeSelect } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";

import type { RunPage } from "../../api/runs";
import { count } from "../../model/money";
import { ROWS } from "../../model/run-choices";
import styles from "./pager.module.css";
import type { ChangeChoices } from "./runs-list";

interface Props {
  page: RunPage | undefined;
  rows: number;
  shown: number;
  total: number | undefined;
  isFirst: boolean;
  onChange: ChangeChoices;
}

export function Pager({ page, rows, shown, total, isFirst, onChange }: Props) {
  return (
    <nav className={styles.pager} aria-label="Pagination">
      <label className={styles.rows}>
        Rows per page
        <NativeSelect
          size="xs"
          aria-label="Rows per page"
          value={String(rows)}
          data={ROWS.map(String)}
          onChange={(event) => onChange({ rows: Number(event.currentTarget.value) })}
        />
      </label>
      <span className={styles.shown}>
        {count(shown)} {total !== undefined && `of ${count(total)} `}shown
      </span>
      <div className={styles.turn}>
        {!isFirst && (
          <Button variant="subtle" color="gray" onClick={() => onChange({ cursor: undefined })}>
            Newest
          </Button>
        )}
        <Button
          leftSection={<IconChevronLeft size={14} />}
          disabled={!page?.prev_cursor}
          onClick={() => onChange({ cursor: page?.prev_cursor ?? undefined })}
        >
          Previous
        </Button>
        <Button
          rightSection={<IconChevronRight size={14} />}
          disabled={!page?.next_cursor}
          onClick={() => onChange({ cursor: page?.next_cursor ?? undefined })}
        >
          Next
        </Button>
      </div>
    </nav>
  );
}
