/** How an experiment stands, in the words and colours of runs. */

import type { Experiment } from "../../api/evaluations";
import { StatusBadge } from "../../components/status-badge";

const AS_RUN: Record<Experiment["status"], string> = {
  running: "running",
  stopping: "draining",
  completed: "succeeded",
  stopped: "stopped",
};

export function ExperimentBadge({ experiment }: { experiment: Experiment }) {
  return <StatusBadge status={AS_RUN[experiment.status]} />;
}
