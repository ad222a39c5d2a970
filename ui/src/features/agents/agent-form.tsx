/** The form of an agent: what it is told, which model answers, what it may call, and where its limits are. */

import { NumberInput, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { modelsQuery } from "../../api/models";
import { workflowsQuery } from "../../api/workflows";
import { JsonField } from "../../components/input-editor";
import { ModelField } from "../../components/model-field";
import type { AgentForm } from "../../model/agent-document";
import { isRecord } from "../../model/schema-fields";
import styles from "./agents.module.css";

interface Props {
  form: AgentForm;
  onChange: (part: Partial<AgentForm>) => void;
  /** What cannot be read, by field. */
  onFault: (field: string, fault: string | null) => void;
}

export function AgentFields({ form, onChange, onFault }: Props) {
  const { data: models } = useQuery(modelsQuery);
  const { data: workflows } = useQuery(workflowsQuery({ limit: 200 }));
  const declared = (Array.isArray(form.declared) ? form.declared : []).filter(isRecord);
  const tools = [
    ...declared.map((tool) => `${String(tool["type"])}:${String(tool["name"])}`),
    ...(workflows?.data ?? []).filter((each) => each.kind !== "trace").map((each) => `workflow:${each.slug}`),
  ];
  const limit = (field: "rounds" | "tokens" | "cost_usd" | "timeout_s", label: string, placeholder: string) => (
    <NumberInput
      label={label}
      placeholder={placeholder}
      min={0}
      allowDecimal={field === "cost_usd" || field === "timeout_s"}
      value={form[field] ?? ""}
      onChange={(next) => onChange({ [field]: typeof next === "number" ? next : null })}
    />
  );
  return (
    <div className={styles.form}>
      <div className={styles.main}>
        <TextInput
          label="Name"
          withAsterisk
          maxLength={200}
          value={form.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        <TextInput
          label="Description"
          value={form.description}
          onChange={(event) => onChange({ description: event.currentTarget.value })}
        />
        <Textarea
          label="Instructions"
          description="What it is told before each run. {{ … }} is filled in from the run."
          autosize
          minRows={8}
          maxRows={28}
          value={form.instructions}
          onChange={(event) => onChange({ instructions: event.currentTarget.value })}
        />
        <TagsInput
          label="Tools"
          description="mcp:server/tool, http:name, python:name or workflow:slug"
          placeholder={form.tools.length === 0 ? "Add a tool" : undefined}
          data={[...new Set(tools)].filter((each) => !form.tools.includes(each))}
          value={form.tools}
          onChange={(next) => onChange({ tools: next })}
          comboboxProps={{ withinPortal: false }}
          clearButtonProps={{ "aria-label": "Take all tools away" }}
          acceptValueOnBlur
        />
        <JsonField
          label="Tools of its own"
          description="A list of http and python tools, as in the reference of workflow documents"
          shown
          minRows={2}
          value={form.declared}
          onChange={(next) => onChange({ declared: next })}
          onFault={(fault) => onFault("declared", fault)}
        />
        <JsonField
          label="Output schema"
          description="Left empty, the answer is text"
          shown
          minRows={2}
          value={form.output_schema}
          onChange={(next) => onChange({ output_schema: next })}
          onFault={(fault) => onFault("output_schema", fault)}
        />
        <JsonField
          label="Input schema"
          description="What a run is given. The form of a run is made from it"
          shown
          minRows={2}
          value={form.input_schema}
          onChange={(next) => onChange({ input_schema: next })}
          onFault={(fault) => onFault("input_schema", fault)}
        />
      </div>
      <div className={styles.aside}>
        <ModelField value={form.model} onChange={(model) => onChange({ model })} withAsterisk />
        <TagsInput
          label="When it fails, ask"
          placeholder={form.fallbacks.length === 0 ? "Another model" : undefined}
          maxTags={9}
          data={(models ?? []).filter((each) => each !== form.model && !form.fallbacks.includes(each))}
          value={form.fallbacks}
          onChange={(fallbacks) => onChange({ fallbacks })}
          comboboxProps={{ withinPortal: false }}
          clearButtonProps={{ "aria-label": "Take all models away" }}
          acceptValueOnBlur
        />
        <JsonField
          label="Parameters"
          description='As {"temperature": 0}'
          shown
          minRows={2}
          value={Object.keys(form.params).length > 0 ? form.params : undefined}
          onChange={(next) => {
            onFault("params", next === undefined || isRecord(next) ? null : "an object is needed");
            onChange({ params: isRecord(next) ? next : {} });
          }}
          onFault={(fault) => onFault("params", fault)}
        />
        <div className={styles.pair}>
          {limit("rounds", "Most rounds", "20")}
          {limit("tokens", "Most tokens", "No limit")}
          {limit("cost_usd", "Most cost, $", "No limit")}
          {limit("timeout_s", "Timeout, s", "Usual")}
        </div>
      </div>
    </div>
  );
}
