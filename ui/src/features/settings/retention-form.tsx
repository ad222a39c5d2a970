/** The rules of retention: one for all runs, others for some. The most particular one holds. */

import { ActionIcon, Button, MultiSelect, Select, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { putRetention, settingKeys, type Retention } from "../../api/settings";
import { workflowsQuery } from "../../api/workflows";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { Confirm } from "../../components/confirm";
import { InlineTrouble } from "../../components/trouble";
import { keptFor, readWhole, ruleFault, type DraftRule } from "../../model/settings";
import { isLive, RUN_STATUS_ORDER, runLook } from "../../model/status";
import { oneLine } from "../../model/safe-text";
import { Source } from "./section";
import styles from "./settings.module.css";

const ENDED = RUN_STATUS_ORDER.filter((status) => !isLive(status)).map((status) => ({
  value: status as string,
  label: runLook(status).label,
}));

export function RetentionForm({ retention, tag }: { retention: Retention; tag: string }) {
  const client = useQueryClient();
  const may = useMay("admin");
  const { data: known } = useQuery(workflowsQuery({ limit: 200 }));
  const [days, setDays] = useState(String(retention.keep_days ?? ""));
  const [rules, setRules] = useState<DraftRule[]>(() => draftsOf(retention));
  const [faults, setFaults] = useState<{ days?: string; rules: (string | null)[] }>({ rules: [] });
  const [asked, setAsked] = useState(false);
  const save = useMutation({
    mutationFn: putRetention,
    onSuccess: () => {
      setAsked(false);
      announce("Saved");
      return client.invalidateQueries({ queryKey: settingKeys.retention });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = { days: readWhole(days, 1, 36_500).fault, rules: rules.map(ruleFault) };
    setFaults(found);
    if (!found.days && found.rules.every((fault) => fault === null)) setAsked(true);
  };
  const confirm = () => {
    const written = rules.map((rule) => ({
      workflow_id: rule.workflow,
      statuses: rule.statuses,
      keep_days: readWhole(rule.days, 1, 36_500).value,
    }));
    save.mutate({ value: { keep_days: readWhole(days, 1, 36_500).value, rules: written as Retention["rules"] }, tag });
  };
  const change = (index: number, part: Partial<DraftRule>) => {
    setFaults({ rules: [] });
    setRules(rules.map((rule, at) => (at === index ? { ...rule, ...part } : rule)));
  };
  const changed = days !== String(retention.keep_days ?? "") || JSON.stringify(rules) !== JSON.stringify(draftsOf(retention));
  const workflows = (known?.data ?? []).map((workflow) => ({ value: workflow.id, label: oneLine(workflow.name) }));
  return (
    <form onSubmit={submit}>
      <div className={styles.fields} style={{ marginBottom: 16 }}>
        <div>
          <TextInput
            label="Keep runs for so many days"
            placeholder="For ever"
            inputMode="numeric"
            value={days}
            onChange={(event) => setDays(event.currentTarget.value)}
            error={faults.days}
            disabled={!may}
          />
          <Source>
            {retention.keep_days === null || retention.keep_days === undefined
              ? "Not set: runs are kept for ever."
              : "Set for this project."}
          </Source>
        </div>
      </div>
      <div className={styles.rules}>
        {rules.map((rule, index) => (
          <div key={index} className={styles.rule} role="group" aria-label={`Rule ${index + 1}`}>
            <Select
              label="Workflow"
              placeholder="Any"
              searchable
              clearable
              clearButtonProps={{ "aria-label": "Any workflow" }}
              data={workflows}
              value={rule.workflow}
              onChange={(workflow) => change(index, { workflow })}
              disabled={!may}
              error={faults.rules[index]}
            />
            <MultiSelect
              label="Ended as"
              placeholder={rule.statuses.length === 0 ? "Anything" : undefined}
              data={ENDED}
              value={rule.statuses}
              onChange={(statuses) => change(index, { statuses })}
              disabled={!may}
              size="sm"
            />
            <TextInput
              label="Days"
              placeholder="For ever"
              inputMode="numeric"
              value={rule.days}
              onChange={(event) => change(index, { days: event.currentTarget.value })}
              disabled={!may}
            />
            <ActionIcon
              size={36}
              aria-label={`Take rule ${index + 1} away`}
              onClick={() => setRules(rules.filter((_, at) => at !== index))}
              disabled={!may}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </div>
        ))}
      </div>
      <div className={styles.end}>
        <Button
          leftSection={<IconPlus size={14} />}
          onClick={() => setRules([...rules, { workflow: null, statuses: [], days: "30" }])}
          disabled={!may}
        >
          Add a rule
        </Button>
        <Button type="submit" variant="filled" disabled={!changed || !may} loading={save.isPending}>
          Save
        </Button>
        {rules.length > 1 && <Source>Of several, that of a workflow and a status holds, then of a workflow, then of a status.</Source>}
      </div>
      {!asked && (
        <div style={{ marginTop: 12 }}>
          <InlineTrouble error={save.error} />
        </div>
      )}
      {asked && (
        <Confirm
          title="Change how long runs are kept?"
          text={`Runs are then kept ${keptFor(readWhole(days, 1, 36_500).value)}${rules.length > 0 ? ", unless a rule says otherwise" : ""}. What is over is deleted for good within an hour.`}
          action="Change it"
          isDoing={save.isPending}
          error={save.error}
          onConfirm={confirm}
          onClose={() => setAsked(false)}
        />
      )}
    </form>
  );
}

function draftsOf(retention: Retention): DraftRule[] {
  return (retention.rules ?? []).map((rule) => ({
    workflow: rule.workflow_id ?? null,
    statuses: [...(rule.statuses ?? [])],
    days: String(rule.keep_days ?? ""),
  }));
}
