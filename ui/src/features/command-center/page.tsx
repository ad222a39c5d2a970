/** What asks for attention, in one place: decisions, runs under way, stuck and failed ones. It stays up to date by itself. */

import { IconAlertTriangle, IconCircleXFilled, IconHandStop, IconLoader2, IconPlayerStop } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { MOST_TASKS } from "../../api/tasks";
import { PageHeader } from "../../components/page-header";
import { count } from "../../model/money";
import { NeedsMe } from "./needs-me";
import styles from "./page.module.css";
import { FailedRuns, Running, Stopping, Stuck } from "./run-sections";
import { useRunsOfInterest, useTasks } from "./use-attention";

export function CommandCenterPage() {
  const { tasks, runOf } = useTasks();
  const interest = useRunsOfInterest();
  const waiting = tasks.data?.data.length ?? 0;
  const failures = interest.failed.data?.data.length ?? 0;
  return (
    <div className={styles.page}>
      <PageHeader title="Command Center" text="What needs you, what runs, and what went wrong." />
      <nav aria-label="Sections" className={styles.strip}>
        <Jump
          to="needs-me"
          label="Needs me"
          n={waiting}
          most={tasks.data?.next_cursor ? MOST_TASKS : undefined}
          icon={<IconHandStop />}
          tone="violet"
        />
        <Jump
          to="running"
          label="Running"
          n={(interest.counted["running"] ?? 0) + (interest.counted["queued"] ?? 0)}
          icon={<IconLoader2 />}
          tone="blue"
        />
        <Jump to="stopping" label="Stopping" n={interest.counted["draining"] ?? 0} icon={<IconPlayerStop />} tone="orange" />
        <Jump to="stuck" label="Stuck" n={interest.stuck.length} icon={<IconAlertTriangle />} tone="amber" />
        <Jump
          to="failed"
          label="Failed in 24 h"
          n={failures}
          most={interest.failed.data?.next_cursor ? failures : undefined}
          icon={<IconCircleXFilled />}
          tone="red"
        />
      </nav>
      <div className={styles.columns}>
        <NeedsMe tasks={tasks} runOf={runOf} />
        <div className={styles.side}>
          <Running interest={interest} />
          <Stopping interest={interest} />
          <Stuck interest={interest} />
          <FailedRuns interest={interest} />
        </div>
      </div>
    </div>
  );
}

interface JumpProps {
  to: string;
  label: string;
  n: number;
  /** There are more than so many. */
  most?: number;
  icon: ReactNode;
  tone: string;
}

function Jump({ to, label, n, most, icon, tone }: JumpProps) {
  const go = () => {
    const head = document.getElementById(to);
    head?.scrollIntoView({ block: "start" });
    head?.focus({ preventScroll: true });
  };
  return (
    <button
      type="button"
      className={styles.jump}
      data-none={n === 0 || undefined}
      onClick={go}
      style={{ "--tone": `var(--tone-${tone})` } as never}
    >
      <span className={styles.mark} aria-hidden>
        {icon}
      </span>
      <span className={styles.number}>{most === undefined ? count(n) : `${count(most)}+`}</span>
      <span className={styles.label}>{label}</span>
    </button>
  );
}
