/** From when to when: a period before now, or two days. */

import { Button, Popover, TextInput } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState, type FormEvent, type ReactNode } from "react";

import { EVER, type Period, type RunChoices } from "../../model/run-choices";
import { usePreferences } from "../../app/preferences";
import { dayOf, startOfDay } from "../../model/time";
import { FilterButton } from "./filter-menu";
import styles from "./filter-menu.module.css";

interface Props {
  icon: ReactNode;
  label: string;
  isSet: boolean;
  periods: Period[];
  choices: RunChoices;
  onChange: (from: string | undefined, to: string | undefined) => void;
}

export function PeriodMenu({ icon, label, isSet, periods, choices, onChange }: Props) {
  const [opened, setOpened] = useState(false);
  const choose = (from: string | undefined, to: string | undefined) => {
    onChange(from, to);
    setOpened(false);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" offset={4} trapFocus returnFocus>
      <Popover.Target>
        <FilterButton icon={icon} label={label} name="Time" isSet={isSet} onClick={() => setOpened(!opened)} />
      </Popover.Target>
      <Popover.Dropdown p={4} w={260} aria-label="Time">
        <div role="radiogroup" aria-label="Time">
          {periods.map((period) => {
            const chosen = !choices.to && choices.from === period.from;
            return (
              <button
                key={period.label}
                type="button"
                role="radio"
                aria-checked={chosen}
                className={styles.option}
                onClick={() => choose(period.from, undefined)}
              >
                <span className={styles.tick} aria-hidden>
                  {chosen && <IconCheck size={14} />}
                </span>
                <span className={styles.words}>{period.label}</span>
              </button>
            );
          })}
        </div>
        <OwnDates key={`${choices.from}|${choices.to}`} choices={choices} onChange={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

const MOMENT = /^\d{4}-\d{2}-\d{2}/;

/** Two days of the time zone that was chosen; both belong to it. */
function OwnDates({ choices, onChange }: { choices: RunChoices; onChange: (from: string | undefined, to: string | undefined) => void }) {
  const { timeZone } = usePreferences();
  const begins = choices.from && MOMENT.test(choices.from) && choices.from !== EVER ? dayOf(choices.from, timeZone) : "";
  const ends = choices.to && MOMENT.test(choices.to) ? dayOf(new Date(choices.to).getTime() - 1, timeZone) : "";
  const [first, setFirst] = useState(begins);
  const [last, setLast] = useState(ends);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(first ? startOfDay(first, timeZone) : EVER, last ? startOfDay(last, timeZone, 1) : undefined);
  };
  return (
    <form className={styles.dates} onSubmit={submit}>
      <TextInput size="xs" type="date" label="First day" value={first} onChange={(event) => setFirst(event.currentTarget.value)} />
      <TextInput
        size="xs"
        type="date"
        label="Last day"
        value={last}
        min={first || undefined}
        onChange={(event) => setLast(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!first && !last}>
        Show these
      </Button>
    </form>
  );
}
