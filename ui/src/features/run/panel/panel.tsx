/** The right of the page: the step that is looked at, or the run itself. */

import { ActionIcon, Tooltip } from "@mantine/core";
import { IconInfoCircle, IconX } from "@tabler/icons-react";
import { useMemo } from "react";

import { PlainText } from "../../../components/plain-text";
import { StepBadge } from "../../../components/status-badge";
import { culpritOf } from "../../../model/run/culprit";
import { iterationOf, templateOf } from "../../../model/run/paths";
import { tookMs, type DrawnGraph, type DrawnStep } from "../../../model/run/tree";
import { firstOf } from "../../../model/search-values";
import { duration } from "../../../model/time";
import { StepIcon } from "../graph/step-icon";
import { useRunPage } from "../run-page";
import { TabList } from "../tabs/tab-list";
import { About } from "./about";
import { Attempts } from "./attempts";
import { Decision } from "./decision";
import { Input, Output } from "./input-output";
import styles from "./panel.module.css";
import { Prompt } from "./prompt";
import { Rounds } from "./rounds";

export function Panel() {
  const { chosen } = useRunPage();
  return (
    <aside id="run-step" className={styles.panel} aria-label={chosen === null ? "About the run" : "The chosen step"}>
      {chosen === null ? <About /> : <StepPanel path={chosen} />}
    </aside>
  );
}

function StepPanel({ path }: { path: string }) {
  const { record, graph, choose, now, values, change, latest } = useRunPage();
  const step = record.steps.get(path) ?? null;
  const drawn = useMemo(() => findDrawn(graph, templateOf(path)), [graph, path]);
  const later = step === null ? latest.steps.get(path) : null;
  const culprit = useMemo(() => culpritOf(record), [record]);
  const type = step?.type || drawn?.type || "";
  const took = tookMs(step, now);
  const tabs = tabsOf(step);
  const wanted = firstOf(values["panel"]);
  const chosen = tabs.find((tab) => tab.id === wanted)?.id ?? usualTab(step);
  const status = step?.status ?? "pending";
  return (
    <>
      <header className={styles.head}>
        <StepIcon type={type} />
        <div className={styles.words}>
          <h2 className={styles.title}>
            <PlainText text={drawn?.name || path} />
            {iterationOf(path) !== null && drawn?.name && ` #${(iterationOf(path) ?? 0) + 1}`}
          </h2>
          <p className={styles.under}>
            <StepBadge status={status} reason={step?.reason} />
            {took !== null && <span className="numbers">{duration(took)}</span>}
            <span>{type.replace("_", " ")}</span>
            {drawn?.name && (
              <code>
                <PlainText text={path} />
              </code>
            )}
          </p>
        </div>
        <Tooltip label="About the run">
          <ActionIcon aria-label="Close the step: about the run" onClick={() => choose(null)}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      {step?.causedBy && (
        <p className={styles.why}>
          <IconInfoCircle size={14} aria-hidden />
          {step.status === "cancelled" ? "Was in flight when " : "Could not begin, as "}
          <button type="button" className={styles.link} onClick={() => choose(step.causedBy)}>
            <PlainText text={step.causedBy} />
          </button>
          {" failed."}
        </p>
      )}
      {step?.status === "skipped" && !step.causedBy && <p className={styles.why}>{SKIPPED[step.reason ?? ""] ?? "It was skipped."}</p>}
      {step?.reusedFrom && <p className={styles.why}>Its result was taken over from an earlier run.</p>}
      {step?.cache && <p className={styles.why}>Its result came from the cache.</p>}
      {culprit?.path === path && <span className="visually-hidden">This step brought the run down.</span>}
      {step?.tasks.map((id) => (
        <Decision key={id} id={id} />
      ))}
      <TabList label="Of the step" name="step" tabs={tabs} chosen={chosen} onChoose={(id) => change({ step: path, panel: id })} />
      <div role="tabpanel" id="step-panel" aria-labelledby={`step-tab-${chosen}`} className={styles.content} tabIndex={0}>
        {step === null ? (
          <p className={styles.none}>{later ? "At the moment that is shown it had not begun." : "It has not begun."}</p>
        ) : chosen === "input" ? (
          <Input step={step} />
        ) : chosen === "timeline" ? (
          <Rounds step={step} />
        ) : chosen === "prompt" ? (
          <Prompt step={step} />
        ) : chosen === "attempts" ? (
          <Attempts step={step} />
        ) : (
          <Output step={step} />
        )}
      </div>
    </>
  );
}

const SKIPPED: Record<string, string> = {
  condition_false: "Its condition was not true.",
  disabled: "It is switched off in this version.",
  dependency_skipped: "All that it depends on were skipped.",
  blocked: "It could not begin any more.",
};

type StepOrNone = ReturnType<ReturnType<typeof useRunPage>["record"]["steps"]["get"]> | null;

function tabsOf(step: StepOrNone) {
  const failed = step?.error != null && !step.handled;
  return [
    { id: "input", label: "Input" },
    { id: "output", label: failed ? "Error" : "Output" },
    ...(step && (["agent", "conversation"].includes(step.type) || step.rounds.some((round) => round.calls.length > 0))
      ? [{ id: "timeline", label: "Timeline" }]
      : []),
    ...(step && step.rounds.length > 0 ? [{ id: "prompt", label: "Prompt" }] : []),
    { id: "attempts", label: "Attempts", mark: step && step.attempts.length > 1 ? step.attempts.length : undefined },
  ];
}

function usualTab(step: StepOrNone): string {
  return step?.type === "agent" && !step.error ? "timeline" : "output";
}

function findDrawn(graph: DrawnGraph | null, template: string): DrawnStep | null {
  const [first, ...rest] = template.split(".");
  const found = graph?.nodes.find((each) => each.id === first) ?? null;
  return rest.length === 0 || !found ? found : findDrawn(found.steps ?? null, rest.join("."));
}
