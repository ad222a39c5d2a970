/** From when to when: a period before now, or two days. */

import { Button, Popover, TextInput } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState, type FormEvent, type ReactNode } from "react";

import { EVER, type Period, type RunChoices } from "../../model/run-choices";
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

const DAY = /^\d{4}-\d{2}-\d{2}/;

function OwnDates({ choices, onChange }: { choices: RunChoices; onChange: (from: string | undefined, to: string | undefined) => void }) {
  const [from, setFrom] = useState(DAY.test(choices.from ?? "") && choices.from !== EVER ? (choices.from ?? "").slice(0, 10) : "");
  const [to, setTo] = useState((choices.to ?? "").slice(0, 10));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(from || EVER, to || undefined);
  };
  return (
    <form className={styles.dates} onSubmit={submit}>
      <TextInput
        size="xs"
        type="date"
        label="From the beginning of (UTC)"
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        size="xs"
        type="date"
        label="Until the beginning of (UTC)"
        value={to}
        min={from || undefined}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!from && !to}>
        Show these
      </Button>
    </form>
  );
}
