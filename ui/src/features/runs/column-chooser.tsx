/** Which columns the table has: the usual ones, others, and any field of inputs, outputs and metadata. */

import { ActionIcon, Button, Checkbox, Popover, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconColumns3, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { runFieldsQuery } from "../../api/runs";
import { COLUMNS, columnsOf, isField, moved, withColumn, type ColumnInfo } from "../../model/run-columns";
import styles from "./column-chooser.module.css";

interface Props {
  columns: string[];
  onChange: (columns: string[]) => void;
}

export function ColumnChooser({ columns, onChange }: Props) {
  const [wanted, setWanted] = useState("");
  const [opened, setOpened] = useState(false);
  const seen = useQuery({ ...runFieldsQuery, enabled: opened });
  const chosen = columnsOf(columns);
  const fields = (seen.data?.seen ?? []).map((field) => field.name).filter(isField); // prettier-ignore
  const all: ColumnInfo[] = [...COLUMNS, ...fields.flatMap((name) => columnsOf([name]))];
  const offered = all.filter((column) => !chosen.some((each) => each.id === column.id) && fits(column, wanted));
  const addTyped = (event: FormEvent) => {
    event.preventDefault();
    const first = isField(wanted.trim()) ? wanted.trim() : offered[0]?.id;
    if (!first) return;
    onChange(withColumn(columns, first, true));
    setWanted("");
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" offset={4} trapFocus returnFocus>
      <Popover.Target>
        <Button leftSection={<IconColumns3 size={14} />} onClick={() => setOpened(!opened)}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8} w={320} aria-label="Columns">
        <form onSubmit={addTyped}>
          <TextInput
            size="xs"
            data-autofocus
            aria-label="Find a column or field"
            placeholder="Find, or name a field: input.ticket.lang"
            leftSection={<IconSearch size={14} />}
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
        </form>
        <div className={styles.lists}>
          <h3>Shown</h3>
          {chosen
            .filter((column) => fits(column, wanted))
            .map((column, index) => (
              <div key={column.id} className={styles.shown}>
                <Checkbox
                  checked
                  label={column.label}
                  disabled={chosen.length === 1}
                  onChange={() => onChange(withColumn(columns, column.id, false))}
                />
                <ActionIcon
                  size={22}
                  aria-label={`Move ${column.label} left`}
                  disabled={index === 0}
                  onClick={() => onChange(moved(columns, column.id, -1))}
                >
                  <IconArrowUp size={12} />
                </ActionIcon>
                <ActionIcon
                  size={22}
                  aria-label={`Move ${column.label} right`}
                  disabled={index === chosen.length - 1}
                  onClick={() => onChange(moved(columns, column.id, 1))}
                >
                  <IconArrowDown size={12} />
                </ActionIcon>
              </div>
            ))}
          <h3>Others</h3>
          {offered.map((column) => (
            <div key={column.id} className={styles.shown}>
              <Checkbox checked={false} label={column.label} onChange={() => onChange(withColumn(columns, column.id, true))} />
            </div>
          ))}
          {offered.length === 0 && <p>{isField(wanted.trim()) ? "Press Enter to show this field." : "None has this name."}</p>}
        </div>
        {columns.length > 0 && (
          <Button variant="subtle" fullWidth onClick={() => onChange([])}>
            The usual columns
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function fits(column: ColumnInfo, wanted: string): boolean {
  return `${column.label} ${column.id}`.toLowerCase().includes(wanted.trim().toLowerCase());
}
