/** The demo: started here, watched live, decided here. It is a run like any other. */

import { Button } from "@mantine/core";
import { IconArrowRight, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { demoRunQuery, startDemo, tasksOfRunQuery } from "../../api/first-run";
import { follow } from "../../api/live";
import { workflowKeys } from "../../api/workflows";
import { runAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { Duration } from "../../components/duration";
import { Money } from "../../components/money";
import { PageLink } from "../../components/page-link";
import { PlainText } from "../../components/plain-text";
import { StatusBadge, StepBadge } from "../../components/status-badge";
import { TaskCard, type Doing } from "../../components/task/task-card";
import { InlineTrouble } from "../../components/trouble";
import { DEMO_DOCUMENT, DEMO_INPUT } from "../../model/demo-document";
import { firstOf } from "../../model/search-values";
import { isLive } from "../../model/status";
import styles from "./page.module.css";

const LOOK_MS = 700;

export function Demo() {
  const [values, change] = useSearchValues();
  const client = useQueryClient();
  const may = useMay("workflow:write");
  const id = firstOf(values["run"]);
  const start = useMutation({
    mutationFn: startDemo,
    onSuccess: (run) => {
      change((now) => ({ ...now, run }), { replace: true });
      return client.invalidateQueries({ queryKey: workflowKeys.all });
    },
  });
  return (
    <section className={styles.card} aria-labelledby="demo">
      <h2 id="demo">1. Watch one run</h2>
      <p>
        A customer writes: <q>{DEMO_INPUT.text}</q> Two model calls work side by side, then the run waits for you. The model is made up, so
        that no key is needed.
      </p>
      {id ? (
        <Live key={id} id={id} />
      ) : (
        <ol className={styles.steps} aria-label="Steps">
          {DEMO_DOCUMENT.steps.map((step) => (
            <li key={step.id}>
              <span className={styles.step}>{step.name}</span>
              <code>{step.type}</code>
            </li>
          ))}
        </ol>
      )}
      <InlineTrouble error={start.error} />
      <div className={styles.actions}>
        <Button
          variant={id ? "default" : "filled"}
          leftSection={<IconPlayerPlay size={14} />}
          loading={start.isPending}
          disabled={!may}
          onClick={() => start.mutate()}
        >
          {id ? "Run it again" : "Run the demo"}
        </Button>
        {id && (
          <Button
            rightSection={<IconArrowRight size={14} />}
            renderRoot={(props: object) => <PageLink address={runAddress(id)} {...props} />}
          >
            Open the run
          </Button>
        )}
      </div>
    </section>
  );
}

function Live({ id }: { id: string }) {
  const [doing, setDoing] = useState<Doing | null>(null);
  const run = useQuery({
    ...demoRunQuery(id),
    refetchInterval: ({ state }) => (state.data && !isLive(state.data.status) ? false : LOOK_MS),
  });
  const waits = run.data?.status === "waiting";
  const tasks = useQuery({ ...tasksOfRunQuery(id), enabled: waits, refetchInterval: LOOK_MS });
  const texts = useDeltas(id);
  const may = useMay("task:complete");
  if (run.error) return <InlineTrouble error={run.error} onRetry={() => void run.refetch()} />;
  const steps = new Map((run.data?.steps ?? []).map((step) => [step.id, step]));
  const task = waits ? tasks.data?.data[0] : undefined;
  return (
    <>
      {run.data && (
        <p className={styles.state}>
          <StatusBadge status={run.data.status} waiting={run.data.waiting_for} />
          <span>
            <Duration ms={run.data.duration_ms} since={isLive(run.data.status) ? run.data.started_at : null} /> ·{" "}
            <Money usd={run.data.cost_usd} />
          </span>
        </p>
      )}
      <ol className={styles.steps} aria-label="Steps">
        {DEMO_DOCUMENT.steps.map(({ id: step, name, type }) => {
          const now = steps.get(step);
          const text = typeof now?.result === "string" && type === "llm" ? now.result : texts[step]; // what was written before one looked is in the result
          return (
            <li key={step}>
              <span className={styles.step}>{name}</span>
              <code>{type}</code>
              <StepBadge status={now?.status ?? "pending"} reason={now?.reason} />
              {text && (
                <p className={styles.text}>
                  <PlainText text={text} />
                </p>
              )}
            </li>
          );
        })}
      </ol>
      {task && <TaskCard task={task} run={undefined} may={may} doing={doing} onDo={setDoing} onDone={() => setDoing(null)} />}
      {run.data?.status === "succeeded" && (
        <p className={styles.done}>
          It is done, and kept: every event, prompt and decision. Open it, or go on with a workflow of your own.
        </p>
      )}
    </>
  );
}

/** Return what models write, by step, as it comes. */
function useDeltas(id: string): Record<string, string> {
  const [texts, setTexts] = useState<Record<string, string>>({});
  useEffect(
    () =>
      follow({
        path: `/v1/runs/${id}/stream`,
        onMessage: (message) => {
          if (message.type !== "delta") return;
          const step = String(message["step_id"]);
          setTexts((now) => ({ ...now, [step]: (now[step] ?? "") + String(message["text"]) }));
        },
      }),
    [id],
  );
  return texts;
}
