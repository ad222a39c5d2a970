/** What the run's expressions see: input, variables, and each step's status, input, result and error; at the moment that is shown. */

import { useMemo } from "react";

import { JsonView } from "../../../components/json-view";
import type { RunRecord } from "../../../model/run/record";
import { useRunPage } from "../run-page";
import styles from "./context-tab.module.css";
import tabs from "./tabs.module.css";

const MOST = 300;

export function ContextTab() {
  const { record, at } = useRunPage();
  const context = useMemo(() => contextOf(record), [record]);
  return (
    <div className={tabs.scroll} tabIndex={0} role="region" aria-label="Context">
      <p className={styles.about}>
        What expressions see {at === null ? "now" : "at the moment that is shown"}: <code>input</code>, <code>vars</code> and{" "}
        <code>steps.&lt;id&gt;</code>.
      </p>
      <JsonView value={context} open={3} label="Context" />
    </div>
  );
}

function contextOf(record: RunRecord): object {
  const steps = [...record.steps.values()].slice(0, MOST).map((step) => [
    step.path,
    {
      status: step.status,
      ...(step.input === undefined ? {} : { input: step.input }),
      ...(step.result === undefined ? {} : { result: step.result }),
      ...(step.error === null ? {} : { error: step.error }),
    },
  ]);
  const more = record.steps.size > MOST ? { "…": `${record.steps.size - MOST} more steps` } : {};
  const output = record.output === undefined ? {} : { output: record.output };
  return { input: record.input, vars: record.variables, steps: { ...Object.fromEntries(steps), ...more }, ...output };
}
