/** Of which runs: the time, a span of one's own in the chosen time zone, one workflow. */

import { Button, Popover, SegmentedControl, Select, TextInput } from "@mantine/core";
import { IconCalendar, IconX } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";

import { usePreferences } from "../../app/preferences";
import { WINDOW_LABELS, WINDOWS } from "../../model/figures";
import { dayOf, startOfDay, fullMoment, zoneName } from "../../model/time";
import styles from "./page.module.css";
import type { PartProps } from "./shared";

export function Controls({ choices, names, onChange }: PartProps) {
  const { timeZone } = usePreferences();
  const { from, to } = choices;
  return (
    <div className={styles.controls}>
      <SegmentedControl
        size="xs"
        aria-label="Time"
        value={from ? "" : choices.window}
        onChange={(window) => onChange({ window, from: undefined, to: undefined })}
        data={WINDOWS.map((window) => ({ value: window, label: WINDOW_LABELS[window] ?? window }))}
      />
      <OwnSpan key={`${from}|${to}`} choices={choices} onChange={onChange} />
      {from && (
        <span className={styles.chip}>
          {fullMoment(from, timeZone)} to {to ? fullMoment(to, timeZone) : "now"}
          <button type="button" aria-label="Take this time away" onClick={() => onChange({ from: undefined, to: undefined })}>
            <IconX size={14} aria-hidden />
          </button>
        </span>
      )}
      <Select
        size="xs"
        aria-label="Workflow"
        placeholder="All workflows"
        searchable
        clearable
        clearButtonProps={{ "aria-label": "All workflows" }}
        className={styles.workflow}
        value={choices.workflow ?? null}
        onChange={(workflow) => onChange({ workflow: workflow ?? undefined })}
        data={names.workflows.map(({ slug, name }) => ({ value: slug, label: name }))}
      />
    </div>
  );
}

function OwnSpan({ choices, onChange }: Pick<PartProps, "choices" | "onChange">) {
  const { timeZone } = usePreferences();
  const [opened, setOpened] = useState(false);
  const [from, setFrom] = useState(choices.from ? dayOf(choices.from, timeZone) : "");
  const [to, setTo] = useState(choices.to ? dayOf(choices.to, timeZone) : "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange({ from: startOfDay(from, timeZone), to: to ? startOfDay(to, timeZone) : undefined });
    setOpened(false);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" offset={4} trapFocus returnFocus>
      <Popover.Target>
        <Button leftSection={<IconCalendar size={14} />} aria-expanded={opened} onClick={() => setOpened(!opened)}>
          Days
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Days">
        <form className={styles.days} onSubmit={submit}>
          <TextInput
            size="xs"
            type="date"
            required
            label="From the beginning of"
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            size="xs"
            type="date"
            label="Until the beginning of"
            min={from || undefined}
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <small>Days of {zoneName(timeZone)}.</small>
          <Button type="submit" variant="filled" disabled={!from || (to !== "" && to <= from)}>
            Show these
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
