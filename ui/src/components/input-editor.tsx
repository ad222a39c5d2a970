/** An input, written in the form that its schema makes, as one text, or as JSON. */

import { JsonInput, SegmentedControl, Textarea } from "@mantine/core";
import { useState } from "react";

import { asJson, fieldsOf, parsedJson, usualForm } from "../model/schema-fields";
import styles from "./input-editor.module.css";
import { SchemaFields } from "./schema-fields";

interface Props {
  schema: unknown;
  value: unknown;
  onChange: (value: unknown) => void;
  /** What is wrong with what is written: then it is not in `value`. Null when it can be read. */
  onFault: (fault: string | null) => void;
  label?: string;
}

const FORMS = { form: "Form", text: "Text", json: "JSON" } as const;
type Form = keyof typeof FORMS;

export function InputEditor({ schema, value, onChange, onFault, label = "Input" }: Props) {
  const usual = usualForm(schema);
  const [chosen, setForm] = useState<Form | null>(null);
  const possible: Form[] = usual === "json" ? ["json"] : [usual, "json"];
  const form = chosen ?? (usual === "text" && value !== undefined && value !== null && typeof value !== "string" ? "json" : usual);
  const choose = (next: string) => {
    onFault(null);
    setForm(next as Form);
  };
  return (
    <div className={styles.editor}>
      <div className={styles.head}>
        <h2 className={styles.title}>{label}</h2>
        {possible.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label={`${label}: how it is written`}
            value={form}
            onChange={choose}
            data={possible.map((each) => ({ value: each, label: FORMS[each] }))}
          />
        )}
      </div>
      {form === "form" ? (
        <SchemaFields fields={fieldsOf(schema) ?? []} value={value} onChange={onChange} onFault={onFault} />
      ) : form === "text" ? (
        <Textarea
          aria-label={label}
          autosize
          minRows={4}
          maxRows={20}
          placeholder="Write the message here"
          value={typeof value === "string" ? value : ""}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <JsonField label={label} value={value} onChange={onChange} onFault={onFault} />
      )}
    </div>
  );
}

interface JsonProps {
  label: string;
  value: unknown;
  onChange: (value: unknown) => void;
  onFault: (fault: string | null) => void;
  /** It stands with its name above it, as the field of a form. */
  shown?: boolean;
  description?: string;
  required?: boolean;
  minRows?: number;
}

/** Any JSON. What cannot be read stays written, and is told. */
export function JsonField({ label, value, onChange, onFault, shown, description, required, minRows = 6 }: JsonProps) {
  const [text, setText] = useState(() => asJson(value));
  const [known, setKnown] = useState(value);
  if (known !== value && JSON.stringify(known) !== JSON.stringify(value)) {
    setKnown(value);
    setText(asJson(value));
  }
  const { fault } = parsedJson(text);
  const write = (next: string) => {
    setText(next);
    const parsed = parsedJson(next);
    onFault(parsed.fault);
    if (parsed.fault !== null) return;
    const read = parsed.value ?? undefined;
    setKnown(read);
    onChange(read);
  };
  return (
    <JsonInput
      {...(shown ? { label, description, withAsterisk: required } : { "aria-label": label })}
      autosize
      minRows={minRows}
      maxRows={24}
      spellCheck={false}
      value={text}
      error={fault}
      onChange={write}
      classNames={{ input: styles.json }}
    />
  );
}
