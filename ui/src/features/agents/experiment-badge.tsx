/** How an experiment stands, in the words and colours of runs. */

import type { Experiment } from "../../api/evaluations";
import { StatusBadge } from "../../components/status-badge";
import styles from "./agents.module.css";

const AS_RUN = { running: "running", stopping: "draining", stopped: "stopped" };

export function ExperimentBadge({ experiment }: { experiment: Experiment }) {
  if (experiment.status === "completed") {
    // Not "succeeded": runs of it may have failed.
    return (
      <span className={styles.mark} data-active>
        Completed
      </span>
    );
  }
  return <StatusBadge status={AS_RUN[experiment.status]} />;
}
