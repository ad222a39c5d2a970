/** What a step was given, and what came of it: its result, or its error. */

import { runAddress } from "../../../app/addresses";
import { JsonView } from "../../../components/json-view";
import { PageLink } from "../../../components/page-link";
import { PlainText, TextBlock } from "../../../components/plain-text";
import { nextAction } from "../../../model/run/banner";
import type { RunError, Step } from "../../../model/run/record";
import { cut } from "../../../model/safe-text";
import { useRunPage } from "../run-page";
import styles from "./panel.module.css";

export function Input({ step }: { step: Step }) {
  if (step.input === undefined) return <p className={styles.none}>It was given nothing.</p>;
  return <JsonView value={step.input} label="Input" open={3} />;
}

export function Output({ step }: { step: Step }) {
  const { at, watched } = useRunPage();
  const writing = at === null && step.to === null ? watched.writing.get(step.path) : undefined;
  return (
    <>
      {step.error && <ErrorBox error={step.error} handled={step.handled} />}
      {step.children.map((id) => (
        <p key={id} className={styles.part}>
          <PageLink address={runAddress(id)} className={styles.link}>
            Open the child run
          </PageLink>
        </p>
      ))}
      {step.result !== undefined && <JsonView value={step.result} label="Output" open={3} />}
      {writing !== undefined && (
        <section className={styles.part} aria-label="What the model writes">
          <h3>The model writes</h3>
          <TextBlock text={writing} />
        </section>
      )}
      {step.result === undefined && !step.error && writing === undefined && <p className={styles.none}>{nothing(step)}</p>}
      {step.logs > 0 && <LogLines path={step.path} />}
    </>
  );
}

function nothing(step: Step): string {
  if (step.status === "running") return "It is at work: there is no output yet.";
  if (step.status === "waiting") return "It waits: there is no output yet.";
  return "It has no output.";
}

/** `next`: with what to do about it, where that is not said already. */
export function ErrorBox({ error, handled = false, next = true }: { error: RunError; handled?: boolean; next?: boolean }) {
  const { shown, rest } = cut(error.message, 4_000);
  const trace = error.details?.["traceback"];
  const others = Object.fromEntries(Object.entries(error.details ?? {}).filter(([name]) => name !== "traceback"));
  return (
    <div className={styles.error}>
      <strong>{error.code}</strong>
      <p>
        <PlainText text={shown} />
        {rest > 0 && "…"}
      </p>
      {next && <p>{handled ? "The run goes on with the step's fallback." : nextAction(error)}</p>}
      {typeof trace === "string" && <TextBlock text={trace} />}
      {Object.keys(others).length > 0 && <JsonView value={others} label="Details" />}
    </div>
  );
}

const LINES = 200;

/** What the step printed. */
function LogLines({ path }: { path: string }) {
  const { watched, record } = useRunPage();
  const lines: string[] = [];
  for (const event of watched.events) {
    if (event.seq > record.seq || lines.length >= LINES) break;
    if (event.type === "log" && event.step_id === path) lines.push(String(event.data["message"] ?? ""));
  }
  return (
    <section className={styles.part} style={{ marginTop: 16 }}>
      <h3>Log{lines.length === LINES ? `, its first ${LINES} lines` : ""}</h3>
      <TextBlock text={lines.join("\n")} />
    </section>
  );
}
