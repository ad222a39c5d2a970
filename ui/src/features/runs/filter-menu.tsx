/** A filter that opens: values with their counts, of which one or several hold. */

import { Popover, TextInput } from "@mantine/core";
import { IconCheck, IconChevronDown, IconSearch } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { compact } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import styles from "./filter-menu.module.css";

interface Option {
  value: string;
  label: string;
  count?: number;
}

interface Props {
  icon: ReactNode;
  /** What is chosen, in words. */
  label: string;
  name: string;
  isSet: boolean;
  options: Option[];
  chosen: string[];
  single?: boolean;
  onToggle: (value: string) => void;
  onClear: () => void;
}

const MANY = 8;

export function FilterMenu({ icon, label, name, isSet, options, chosen, single, onToggle, onClear }: Props) {
  const [opened, setOpened] = useState(false);
  const [wanted, setWanted] = useState("");
  const listed: Option[] = [
    ...options,
    ...chosen.filter((value) => !options.some((each) => each.value === value)).map((value) => ({ value, label: value })),
  ];
  const found = listed.filter((each) => `${each.label} ${each.value}`.toLowerCase().includes(wanted.toLowerCase()));
  const toggle = (value: string) => {
    onToggle(value);
    if (single) setOpened(false);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" offset={4} trapFocus returnFocus>
      <Popover.Target>
        <FilterButton icon={icon} label={label} name={name} isSet={isSet} onClick={() => setOpened(!opened)} />
      </Popover.Target>
      <Popover.Dropdown p={4} w={280} aria-label={name}>
        {listed.length > MANY && (
          <TextInput
            size="xs"
            mb={4}
            data-autofocus
            aria-label={`Find a ${name.toLowerCase()}`}
            placeholder="Find"
            leftSection={<IconSearch size={14} />}
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
        )}
        <div className={styles.options} role="group" aria-label={name}>
          {found.map((option) => (
            <button
              key={option.value}
              type="button"
              role={single ? "radio" : "checkbox"}
              aria-checked={chosen.includes(option.value)}
              className={styles.option}
              onClick={() => toggle(option.value)}
            >
              <span className={styles.tick} aria-hidden>
                {chosen.includes(option.value) && <IconCheck size={14} />}
              </span>
              <span className={styles.words}>{oneLine(option.label)}</span>
              {option.count !== undefined && <span className={styles.count}>{compact(option.count)}</span>}
            </button>
          ))}
          {found.length === 0 && <p className={styles.none}>{listed.length === 0 ? "There are none yet" : "None has this name"}</p>}
        </div>
        {!single && chosen.length > 0 && (
          <button type="button" className={styles.clear} onClick={onClear}>
            Clear
          </button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

interface ButtonProps {
  icon: ReactNode;
  label: string;
  name: string;
  isSet: boolean;
  onClick: () => void;
  className?: string;
  ref?: React.Ref<HTMLButtonElement>;
}

export function FilterButton({ icon, label, name, isSet, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={[styles.button, className].join(" ")}
      data-set={isSet || undefined}
      aria-label={`${name}: ${label}`}
      {...rest}
    >
      {icon}
      <span>{oneLine(label)}</span>
      <IconChevronDown size={14} aria-hidden />
    </button>
  );
}
