/** Every try of a step: when, how it ended, what it cost; and what it waited for. */

import { Moment } from "../../../components/moment";
import { Money } from "../../../components/money";
import { PlainText } from "../../../components/plain-text";
import { StepBadge } from "../../../components/status-badge";
import { usd, type Step } from "../../../model/run/record";
import { waitingFor } from "../../../model/status";
import { duration } from "../../../model/time";
import { useRunPage } from "../run-page";
import styles from "./attempts.module.css";
import panel from "./panel.module.css";

export function Attempts({ step }: { step: Step }) {
  const { now } = useRunPage();
  if (step.attempts.length === 0) return <p className={panel.none}>It was not attempted.</p>;
  return (
    <>
      <ol className={styles.list}>
        {step.attempts.map((attempt) => (
          <li key={attempt.number} className={styles.attempt}>
            <div className={styles.line}>
              <strong>Attempt {attempt.number}</strong>
              <StepBadge status={attempt.status} />
              <span className="numbers">{duration(Math.max(0, (attempt.to ?? now) - attempt.from))}</span>
              <span className={styles.at}>
                <Moment at={iso(attempt.from)} as="clock" />
              </span>
              {attempt.used.calls > 0 && <Money usd={usd(attempt.used.nanos)} />}
            </div>
            {attempt.error && (
              <p className={styles.error}>
                <code>{attempt.error.code}</code> <PlainText text={attempt.error.message.slice(0, 1_000)} />
              </p>
            )}
            {attempt.retryAt !== null && (
              <p className={styles.next}>
                Tried again at <Moment at={iso(attempt.retryAt)} as="clock" />
              </p>
            )}
          </li>
        ))}
      </ol>
      {step.waits.length > 0 && (
        <section className={panel.part}>
          <h3>Waits</h3>
          <ul className={styles.list}>
            {step.waits.map((wait, index) => (
              <li key={index} className={styles.line}>
                {waitingFor(wait.why)}
                {wait.message && <code>{wait.message}</code>}
                <span className="numbers">{duration(Math.max(0, (wait.to ?? now) - wait.from))}</span>
                <span className={styles.at}>
                  <Moment at={iso(wait.from)} as="clock" />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function iso(ts: number): string {
  return new Date(ts).toISOString();
}
