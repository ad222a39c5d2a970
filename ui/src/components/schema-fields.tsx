/** The fields of a form that a schema makes. An empty field is left out of the value. */

import { NativeSelect, NumberInput, Textarea } from "@mantine/core";

import { isRecord, withField, type SchemaField } from "../model/schema-fields";
import styles from "./input-editor.module.css";
import { JsonField } from "./input-editor";

interface Props {
  fields: SchemaField[];
  value: unknown;
  onChange: (value: unknown) => void;
  onFault: (fault: string | null) => void;
}

export function SchemaFields({ fields, value, onChange, onFault }: Props) {
  const held = isRecord(value) ? value : {};
  return (
    <div className={styles.fields}>
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={held[field.name]}
          onChange={(next) => onChange(withField(held, field.name, next))}
          onFault={onFault}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  field: SchemaField;
  value: unknown;
  onChange: (value: unknown) => void;
  onFault: (fault: string | null) => void;
}

function Field({ field, value, onChange, onFault }: FieldProps) {
  const said = { label: field.label, description: field.description, withAsterisk: field.required };
  const example = field.example === undefined ? undefined : String(field.example);
  if (field.kind === "group") {
    return (
      <fieldset className={styles.group}>
        <legend>{field.label}</legend>
        <SchemaFields fields={field.fields ?? []} value={value} onChange={onChange} onFault={onFault} />
      </fieldset>
    );
  }
  if (field.kind === "choice" || field.kind === "boolean") {
    const choices = field.kind === "boolean" ? [true, false] : (field.choices ?? []);
    const words = (choice: unknown) =>
      field.kind === "boolean" ? (choice ? "Yes" : "No") : typeof choice === "string" ? choice : JSON.stringify(choice);
    const at = choices.findIndex((choice) => choice === value);
    return (
      <NativeSelect
        {...said}
        value={at < 0 ? "" : String(at)}
        onChange={(event) => onChange(event.currentTarget.value === "" ? undefined : choices[Number(event.currentTarget.value)])}
        data={[{ value: "", label: "-" }, ...choices.map((choice, index) => ({ value: String(index), label: words(choice) }))]}
      />
    );
  }
  if (field.kind === "number" || field.kind === "integer") {
    return (
      <NumberInput
        {...said}
        placeholder={example}
        allowDecimal={field.kind === "number"}
        value={typeof value === "number" ? value : ""}
        onChange={(next) => onChange(typeof next === "number" ? next : undefined)}
      />
    );
  }
  if (field.kind === "text") {
    return (
      <Textarea
        {...said}
        placeholder={example}
        autosize
        minRows={1}
        maxRows={12}
        value={typeof value === "string" ? value : ""}
        onChange={(event) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
      />
    );
  }
  return (
    <JsonField
      label={field.label}
      description={field.description}
      required={field.required}
      shown
      minRows={2}
      value={value}
      onChange={onChange}
      onFault={onFault}
    />
  );
}
