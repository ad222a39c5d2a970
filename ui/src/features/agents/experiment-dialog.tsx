/** Starts an experiment: a dataset, up to eight variants, and who judges. */

import { ActionIcon, Button, Group, Modal, MultiSelect, NativeSelect, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { datasetsQuery } from "../../api/datasets";
import { evaluationKeys, evaluatorsQuery, startExperiment } from "../../api/evaluations";
import { versionsQuery } from "../../api/versions";
import type { Workflow } from "../../api/workflows";
import { experimentAddress, playgroundAddress } from "../../app/addresses";
import { announce } from "../../app/announce";
import { ModelField } from "../../components/model-field";
import { Note } from "../../components/note";
import { PageLink } from "../../components/page-link";
import { InlineTrouble } from "../../components/trouble";
import { MOST_VARIANTS, nameOf, newVariant, sentOf } from "../../model/playground";
import { oneLine } from "../../model/safe-text";
import styles from "./experiment-dialog.module.css";

export function ExperimentDialog({ agent, onClose }: { agent: Workflow; onClose: () => void }) {
  const { data: datasets, isSuccess } = useQuery(datasetsQuery);
  const { data: evaluators } = useQuery(evaluatorsQuery);
  const { data: versions } = useQuery(versionsQuery(agent.slug));
  const [name, setName] = useState("");
  const [dataset, setDataset] = useState("");
  const [judges, setJudges] = useState<string[]>([]);
  const [variants, setVariants] = useState(() => {
    const first = newVariant([]);
    return [first, newVariant([first])];
  });
  const navigate = useNavigate();
  const known = useQueryClient();
  const sets = datasets?.data ?? [];
  const chosen = dataset || (sets[0]?.id ?? "");
  const change = (key: number, part: object) => setVariants((now) => now.map((each) => (each.key === key ? { ...each, ...part } : each)));
  const starting = useMutation({
    mutationFn: () =>
      startExperiment({
        name: name.trim(),
        workflow: agent.slug,
        dataset: chosen,
        evaluators: judges,
        variants: variants.map((each, at) => ({ ...sentOf(each, at), name: nameOf(each, at) })),
      }),
    onSuccess: (made) => {
      announce("The experiment has started");
      void known.invalidateQueries({ queryKey: evaluationKeys.experiments });
      void navigate({ to: experimentAddress(agent.slug, made.id).to });
    },
  });
  return (
    <Modal opened onClose={onClose} title="New experiment" size={640}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          starting.mutate();
        }}
      >
        <Stack gap="md">
          {isSuccess && sets.length === 0 && (
            <Note tone="blue" title="There is no dataset yet">
              Save answers as tests in the <PageLink address={playgroundAddress({ workflow: agent.slug })}>playground</PageLink>, or make
              one with <code>runwell datasets create</code>.
            </Note>
          )}
          <TextInput label="Name" withAsterisk value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
          <NativeSelect
            label="Dataset"
            value={chosen}
            data={sets.map((each) => ({ value: each.id, label: `${oneLine(each.name)} (${each.rows ?? 0} rows)` }))}
            onChange={(event) => setDataset(event.currentTarget.value)}
          />
          <MultiSelect
            label="Evaluators"
            placeholder={judges.length === 0 ? "Without any, times and cost are compared" : undefined}
            maxValues={5}
            data={(evaluators?.data ?? []).map((each) => ({ value: each.id, label: oneLine(each.name) }))}
            value={judges}
            onChange={setJudges}
            comboboxProps={{ withinPortal: false }}
          />
          <fieldset className={styles.variants}>
            <legend>Variants</legend>
            {variants.map((each, at) => (
              <div key={each.key} className={styles.variant}>
                <TextInput
                  aria-label={`Name of variant ${at + 1}`}
                  placeholder={nameOf({ name: "" }, at)}
                  value={each.name}
                  onChange={(event) => change(each.key, { name: event.currentTarget.value })}
                />
                <NativeSelect
                  aria-label={`Version of variant ${at + 1}`}
                  value={each.version === null ? "" : String(each.version)}
                  data={[
                    { value: "", label: "Active version" },
                    ...(versions?.data ?? []).map((version) => ({ value: String(version.number), label: `Version ${version.number}` })),
                  ]}
                  onChange={(event) =>
                    change(each.key, { version: event.currentTarget.value === "" ? null : Number(event.currentTarget.value) })
                  }
                />
                <ModelField
                  label={undefined}
                  aria-label={`Model of variant ${at + 1}`}
                  placeholder="Model of the version"
                  value={each.model ?? ""}
                  onChange={(model) => change(each.key, { model: model || null })}
                />
                <ActionIcon
                  aria-label={`Remove variant ${at + 1}`}
                  disabled={variants.length === 1}
                  onClick={() => setVariants(variants.filter((other) => other.key !== each.key))}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              </div>
            ))}
            <Button
              leftSection={<IconPlus size={14} />}
              disabled={variants.length >= MOST_VARIANTS}
              onClick={() => setVariants([...variants, newVariant(variants)])}
            >
              Add variant
            </Button>
          </fieldset>
          <InlineTrouble error={starting.error} />
          <Group justify="flex-end" gap="xs">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" type="submit" disabled={!name.trim() || !chosen} loading={starting.isPending}>
              Start the experiment
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
