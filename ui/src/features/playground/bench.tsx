/** The playground itself: what is tried at the left, the variants beside each other. */

import { Button, Select, Switch } from "@mantine/core";
import { IconFlask, IconPlayerPlayFilled, IconPlayerStopFilled, IconPlus, IconRestore } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { modelsQuery } from "../../api/models";
import { versionsQuery } from "../../api/versions";
import { workflowsQuery } from "../../api/workflows";
import { runAddress, playgroundAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { InputEditor } from "../../components/input-editor";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { InlineTrouble } from "../../components/trouble";
import { best, modelSteps, MOST_VARIANTS, newVariant, paramsOf, sentOf, systemText, type VariantDraft } from "../../model/playground";
import { oneLine } from "../../model/safe-text";
import { unwritten } from "../../model/schema-fields";
import { firstOf } from "../../model/search-values";
import styles from "./bench.module.css";
import { MessagesPanel } from "./messages-panel";
import { useDraft } from "./use-draft";
import { useDocument, type Source } from "./use-source";
import { useTrial } from "./use-trial";
import { VariantCard, type Known } from "./variant-card";

export function Bench({ source }: { source: Source }) {
  const { workflow, call } = source;
  const [values, setValues] = useSearchValues();
  const [draft, change, reset] = useDraft(source);
  const [fault, setFault] = useState<string | null>(null);
  const { trial, start, stop } = useTrial();
  const document = useDocument(workflow, draft.variants[0]?.version ?? null);
  const { data: versions } = useQuery({ ...versionsQuery(workflow?.slug ?? ""), enabled: workflow !== null });
  const may = useMay("workflow:run");
  const steps = modelSteps(document);
  const step = steps.find((each) => each.id === firstOf(values["at"])) ?? steps[0];
  const isDiff = firstOf(values["diff"]) === "true";
  const isRunning = trial.since !== null;
  const faults = draft.variants.some((each) => paramsOf(each.params).fault !== null);
  const { data: models } = useQuery(modelsQuery);
  const modelAt = (at: number) => modelOf(source, at) ?? models?.[0] ?? "";
  const noModel = draft.variants.some((each, at) => each.model?.trim() === "" || (!workflow && !(each.model ?? modelAt(at))));
  const isReady = may && fault === null && !faults && !noModel;

  const run = () => {
    if (!isReady || isRunning) return;
    const variants = draft.variants.map((each, at) => ({
      ...sentOf(each, at, steps.length > 1 ? step?.id : undefined),
      ...(workflow ? {} : { model: (each.model ?? modelAt(at)).trim() }),
    }));
    const input = { input: draft.input ?? unwritten(document?.["input_schema"]) };
    const asked = call
      ? {
          messages: draft.messages as never,
          tools: call.tools,
          output_schema: call.output_schema,
          params: call.params,
          variants,
        }
      : { ...(workflow ? { workflow: workflow.slug } : {}), ...input, variants };
    start(
      asked,
      draft.variants.map((each) => each.key),
      call ? (draft.messages ?? []) : input.input,
    );
  };
  useCtrlEnter(run);

  const { quickest, cheapest } = best(trial.outcomes);
  const outcomeOf = (variant: VariantDraft) => trial.outcomes[trial.keys.indexOf(variant.key)];
  const baseline = draft.variants.map(outcomeOf).find((each) => each?.kind === "done");
  const setVariant = (key: number, part: Partial<VariantDraft>) =>
    change((now) => ({ variants: now.variants.map((each) => (each.key === key ? { ...each, ...part } : each)) }));
  const add = (like?: VariantDraft) =>
    change((now) => ({ variants: [...now.variants, newVariant(now.variants, like && { ...like, name: "" })].slice(0, MOST_VARIANTS) }));
  return (
    <div className={styles.page}>
      <PageHeader
        title="Playground"
        text={<Beginning source={source} />}
        actions={
          <>
            <Button variant="subtle" color="gray" leftSection={<IconRestore size={14} />} onClick={reset}>
              Start over
            </Button>
            <Button
              leftSection={<IconPlus size={14} />}
              disabled={draft.variants.length >= MOST_VARIANTS}
              onClick={() => add(draft.variants.at(-1))}
            >
              Add variant
            </Button>
            {isRunning ? (
              <Button variant="filled" color="red" leftSection={<IconPlayerStopFilled size={14} />} onClick={stop}>
                Stop
              </Button>
            ) : (
              <Button
                variant="filled"
                leftSection={<IconPlayerPlayFilled size={14} />}
                disabled={!isReady}
                title={may ? "Ctrl + Enter" : "You may not start runs here"}
                onClick={run}
              >
                {draft.variants.length === 1 ? "Try it" : `Try all ${draft.variants.length}`}
              </Button>
            )}
          </>
        }
      />
      <div className={styles.columns}>
        <section className={styles.left} aria-label="What is tried">
          {!call && <WorkflowPicker source={source} />}
          {steps.length > 1 && (
            <Select
              label="Step that variants change"
              allowDeselect={false}
              data={steps.map((each) => each.id)}
              value={step?.id ?? null}
              onChange={(next) => setValues((now) => ({ ...now, at: next ?? undefined }))}
            />
          )}
          {call ? (
            <MessagesPanel call={call} messages={draft.messages ?? []} onChange={(messages) => change({ messages })} />
          ) : (
            <InputEditor
              schema={document?.["input_schema"]}
              label={workflow ? "Input" : "Message"}
              value={draft.input}
              onChange={(input) => change({ input })}
              onFault={setFault}
            />
          )}
          {draft.variants.length > 1 && (
            <Switch
              size="xs"
              label="Show what differs from the first answer"
              checked={isDiff}
              onChange={(event) => setValues((now) => ({ ...now, diff: event.target.checked ? "true" : undefined }), { replace: true })}
            />
          )}
          <InlineTrouble error={trial.error} />
        </section>
        <div className={styles.variants} data-many={draft.variants.length > 1 || undefined} tabIndex={-1}>
          {draft.variants.map((variant, at) => {
            const outcome = outcomeOf(variant);
            const known: Known = {
              workflow,
              versions: versions?.data ?? [],
              step: step?.id ?? null,
              model: workflow ? "" : modelAt(at),
              instructions: call ? systemText(draft.messages ?? []) : "",
              params: call?.params ?? {},
            };
            return (
              <VariantCard
                key={variant.key}
                variant={variant}
                at={at}
                known={known}
                outcome={outcome}
                since={trial.since}
                before={isDiff && outcome !== baseline && baseline?.kind === "done" ? baseline.text : null}
                isQuickest={quickest !== null && trial.keys[quickest] === variant.key}
                isCheapest={cheapest !== null && trial.keys[cheapest] === variant.key}
                input={trial.input}
                isOnly={draft.variants.length === 1}
                onChange={(part) => setVariant(variant.key, part)}
                onDuplicate={draft.variants.length < MOST_VARIANTS ? () => add(variant) : null}
                onRemove={() => change((now) => ({ variants: now.variants.filter((each) => each.key !== variant.key) }))}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The model of the prompt that is tried; null when it has none. */
function modelOf(source: Source, at: number): string | null {
  return source.variants[Math.min(at, source.variants.length - 1)]?.model ?? null;
}

function Beginning({ source }: { source: Source }) {
  if (!source.run) return <>Try one input on several variants at once. Nothing of it is kept.</>;
  return (
    <>
      {source.call ? `The prompt of ${source.call.step_id ?? "a call"}, from ` : "From "}
      <PageLink address={runAddress(source.run)}>{source.run}</PageLink>
      {source.call && source.call.missing_files > 0 ? `, without ${source.call.missing_files} files that were not kept` : ""}. Nothing of it
      is kept.
    </>
  );
}

const NOTHING = "";

function WorkflowPicker({ source }: { source: Source }) {
  const [, setValues] = useSearchValues();
  const { data } = useQuery(workflowsQuery({ limit: 200 }));
  const own = source.workflow;
  const listed = (data?.data ?? []).filter((each) => each.kind !== "trace" && each.active_version !== null);
  const all = own && !listed.some((each) => each.slug === own.slug) ? [own, ...listed] : listed;
  return (
    <Select
      label="Workflow or agent"
      searchable
      allowDeselect={false}
      leftSection={<IconFlask size={16} />}
      comboboxProps={{ withinPortal: false }}
      nothingFoundMessage="No workflow matches"
      data={[{ value: NOTHING, label: "None: a message alone" }, ...all.map((each) => ({ value: each.slug, label: oneLine(each.name) }))]}
      value={own?.slug ?? NOTHING}
      onChange={(next) => setValues((now) => ({ ...playgroundAddress({ workflow: next || undefined }).search, diff: now["diff"] }))}
    />
  );
}

function useCtrlEnter(action: () => void): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || window.document.querySelector('[role="dialog"]')) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
