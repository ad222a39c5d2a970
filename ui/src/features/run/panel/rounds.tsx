/** An agent's rounds: what the model thought and wrote, the tools that it called, what came of them. */

import { Anchor } from "@mantine/core";
import { IconBulb, IconSparkles, IconTool } from "@tabler/icons-react";

import { JsonView } from "../../../components/json-view";
import { Money } from "../../../components/money";
import { TextBlock } from "../../../components/plain-text";
import { oneLine } from "../../../model/safe-text";
import { count } from "../../../model/money";
import { usd, type Round, type Step, type ToolCall } from "../../../model/run/record";
import { duration } from "../../../model/time";
import { useRunPage } from "../run-page";
import { ErrorBox } from "./input-output";
import panel from "./panel.module.css";
import styles from "./rounds.module.css";

export function Rounds({ step }: { step: Step }) {
  const { watched, at } = useRunPage();
  const writing = at === null && step.to === null ? watched.writing.get(step.path) : undefined;
  if (step.rounds.length === 0 && !writing) return <p className={panel.none}>The model has not answered yet.</p>;
  return (
    <ol className={styles.rounds}>
      {step.rounds.map((round) => (
        <RoundItem key={round.seq} round={round} />
      ))}
      {writing && (
        <li className={styles.round}>
          <h3 className={styles.title}>
            <IconSparkles size={14} aria-hidden /> The model writes
          </h3>
          <TextBlock text={writing} />
        </li>
      )}
    </ol>
  );
}

function RoundItem({ round }: { round: Round }) {
  const { change } = useRunPage();
  return (
    <li className={styles.round}>
      <h3 className={styles.title}>
        <IconSparkles size={14} aria-hidden /> Round {round.number}
        <span className={styles.about} title={oneLine(round.model)}>
          {duration(round.latencyMs)} · {count(round.used.input)} in, {count(round.used.output)} out · <Money usd={usd(round.used.nanos)} />
        </span>
        <Anchor
          component="button"
          type="button"
          fz={12}
          onClick={() => change({ step: round.step, panel: "prompt", call: String(round.seq) })}
        >
          View prompt
        </Anchor>
      </h3>
      {round.thought && (
        <div className={styles.thought}>
          <IconBulb size={14} aria-label="Thought" />
          <TextBlock text={round.thought} />
        </div>
      )}
      {round.text !== null && round.text !== undefined && round.text !== "" && (
        <div className={styles.text}>
          {typeof round.text === "string" ? <TextBlock text={round.text} /> : <JsonView value={round.text} label="Answer" />}
        </div>
      )}
      {round.error && <ErrorBox error={round.error} />}
      {round.calls.map((call) => (
        <Call key={call.id} call={call} />
      ))}
    </li>
  );
}

function Call({ call }: { call: ToolCall }) {
  const took = call.from !== null && call.to !== null ? call.to - call.from : null;
  const state = call.error ? "failed" : call.to !== null ? "returned" : call.from !== null ? "is called" : "is wanted";
  return (
    <details className={styles.call} open={call.error !== null}>
      <summary>
        <IconTool size={14} aria-hidden />
        <code>{oneLine(call.tool)}</code>
        <span className={styles.about} data-failed={call.error !== null || undefined}>
          {state}
          {took !== null && ` · ${duration(took)}`}
        </span>
      </summary>
      <h4>Arguments</h4>
      <JsonView value={call.args ?? null} label="Arguments" />
      {call.error ? (
        <ErrorBox error={call.error} />
      ) : (
        call.to !== null && (
          <>
            <h4>Result</h4>
            <JsonView value={call.result ?? null} label="Result" />
          </>
        )
      )}
    </details>
  );
}
