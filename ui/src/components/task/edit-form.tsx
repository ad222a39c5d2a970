/** The fields of what may be edited. */

import { Select, Switch, Textarea, TextInput } from "@mantine/core";

import { keyOf, type Drafts, type Field } from "../../model/task-form";
import styles from "./task-card.module.css";

interface Props {
  fields: readonly Field[];
  drafts: Drafts;
  faults: Record<string, string>;
  onChange: (key: string, value: string | boolean) => void;
}

export function EditForm({ fields, drafts, faults, onChange }: Props) {
  return (
    <div className={styles.form}>
      {fields.map((field, index) => (
        <One
          key={keyOf(field)}
          field={field}
          draft={drafts[keyOf(field)] ?? ""}
          fault={faults[keyOf(field)]}
          isFirst={index === 0}
          onChange={(value) => onChange(keyOf(field), value)}
        />
      ))}
    </div>
  );
}

interface OneProps {
  field: Field;
  draft: string | boolean;
  fault: string | undefined;
  isFirst: boolean;
  onChange: (value: string | boolean) => void;
}

function One({ field, draft, fault, isFirst, onChange }: OneProps) {
  const { label, description, kind, required } = field;
  const common = { label, description, error: fault, autoFocus: isFirst };
  if (kind === "truth") {
    return <Switch {...common} checked={draft === true} onChange={(event) => onChange(event.currentTarget.checked)} mt={26} />;
  }
  const shared = { ...common, withAsterisk: required };
  if (kind === "choice") {
    return (
      <Select
        {...shared}
        data={field.choices ?? []}
        value={String(draft) || null}
        allowDeselect={!required}
        onChange={(value) => onChange(value ?? "")}
      />
    );
  }
  if (kind === "long" || kind === "json") {
    return (
      <Textarea
        {...shared}
        className={styles.wide}
        autosize
        minRows={2}
        maxRows={12}
        value={String(draft)}
        onChange={(event) => onChange(event.currentTarget.value)}
        spellCheck={kind !== "json"}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      inputMode={kind === "number" ? "decimal" : undefined}
      value={String(draft)}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
