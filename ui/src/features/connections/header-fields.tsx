/** Headers, each a name and a value; secret ones are not readable while they are typed. */

import { ActionIcon, Button, PasswordInput, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";

import type { HeaderDraft } from "../../model/connection-form";
import styles from "./page.module.css";

interface Props {
  label: string;
  headers: HeaderDraft[];
  secret?: boolean;
  onChange: (headers: HeaderDraft[]) => void;
}

export function HeaderFields({ label, headers, secret, onChange }: Props) {
  const change = (index: number, part: Partial<HeaderDraft>) =>
    onChange(headers.map((each, at) => (at === index ? { ...each, ...part } : each)));
  const Value = secret ? PasswordInput : TextInput;
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{label}</legend>
      {headers.map((header, index) => (
        <div key={index} className={styles.header}>
          <TextInput
            aria-label={`${label}: name ${index + 1}`}
            placeholder="Name"
            value={header.name}
            onChange={(event) => change(index, { name: event.currentTarget.value })}
          />
          <Value
            aria-label={`${label}: value ${index + 1}`}
            placeholder="Value"
            autoComplete="off"
            size="sm"
            value={header.value}
            onChange={(event) => change(index, { value: event.currentTarget.value })}
          />
          <ActionIcon
            size={36}
            aria-label={`Take header ${index + 1} away`}
            onClick={() => onChange(headers.filter((_, at) => at !== index))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button size="compact-xs" leftSection={<IconPlus size={12} />} onClick={() => onChange([...headers, { name: "", value: "" }])}>
          Add a header
        </Button>
      </div>
    </fieldset>
  );
}
