/** What waits for a decision, the oldest first. J and K go through it, A approves, R rejects, E edits, Enter opens the run. */

import { IconCircleCheck } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import type { RunSummary } from "../../api/runs";
import { MOST_TASKS, type Task, type TaskPage } from "../../api/tasks";
import { useKeys } from "../../app/keys";
import { usePreferences } from "../../app/preferences";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { InlineTrouble } from "../../components/trouble";
import { firstOf } from "../../model/search-values";
import { Section, WaitingLines } from "./section";
import styles from "./needs-me.module.css";
import { TaskCard, type Doing } from "../../components/task/task-card";

interface Props {
  tasks: UseQueryResult<TaskPage>;
  runOf: Map<string, RunSummary>;
}

export function NeedsMe({ tasks, runOf }: Props) {
  const [values, change] = useSearchValues();
  const { singleKeys } = usePreferences();
  const may = useMay("task:complete");
  const body = useRef<HTMLDivElement>(null);
  const list = tasks.data?.data ?? [];
  const chosen = firstOf(values["task"]);
  const doing = (["approve", "reject", "edit"] as const).find((each) => each === firstOf(values["do"])) ?? null;
  const begin = (task: Task, next: Doing | null) => change((now) => ({ ...now, task: task.id, do: next ?? undefined }), { replace: true });
  const focused = useTaskKeys(body, list, may, begin);
  const loaded = list.length > 0;
  useEffect(() => {
    if (!doing && chosen) focused.focus(chosen);
  }, [chosen, doing, focused, loaded]);
  const after = (task: Task) => {
    const next = list[list.indexOf(task) + 1] ?? list[list.indexOf(task) - 1];
    change((now) => ({ ...now, task: undefined, do: undefined }), { replace: true });
    requestAnimationFrame(() => (next ? focused.focus(next.id) : document.getElementById("needs-me")?.focus()));
  };
  return (
    <Section id="needs-me" title="Needs me" n={list.length} hint={may && singleKeys && list.length > 0 && <Hint />}>
      {tasks.error && !tasks.data ? (
        <InlineTrouble error={tasks.error} onRetry={() => void tasks.refetch()} />
      ) : tasks.isPending ? (
        <WaitingLines n={4} />
      ) : list.length === 0 ? (
        <Nothing />
      ) : (
        <div ref={body} className={styles.cards}>
          {list.map((task) => (
            <TaskCard
              key={task.id}
              task={task}
              run={runOf.get(task.run_id)}
              may={may}
              doing={chosen === task.id ? doing : null}
              onDo={(next) => begin(task, next)}
              onDone={() => after(task)}
            />
          ))}
          {tasks.data?.next_cursor && <p className={styles.more}>These are the oldest {MOST_TASKS}. More appear as they are decided.</p>}
        </div>
      )}
    </Section>
  );
}

function Hint() {
  return (
    <span className={styles.hint} aria-hidden>
      <kbd>J</kbd> <kbd>K</kbd> choose <kbd>A</kbd> approve <kbd>R</kbd> reject <kbd>E</kbd> edit
    </span>
  );
}

function Nothing() {
  return (
    <div className={styles.nothing}>
      <IconCircleCheck size={28} stroke={1.5} aria-hidden />
      <strong>Nothing needs you</strong>
      <span>Approvals that runs ask for appear here, and their number in the navigation and the tab's title.</span>
    </div>
  );
}

function useTaskKeys(
  body: React.RefObject<HTMLDivElement | null>,
  tasks: readonly Task[],
  may: boolean,
  begin: (task: Task, doing: Doing) => void,
) {
  const cards = () => [...(body.current?.querySelectorAll<HTMLElement>("[data-task]") ?? [])];
  const at = () => cards().findIndex((card) => card.contains(document.activeElement));
  const focus = (id: string) => {
    const card = body.current?.querySelector<HTMLElement>(`[data-task="${CSS.escape(id)}"]`);
    if (!card || card.contains(document.activeElement)) return;
    card.querySelector<HTMLElement>("h3 a")?.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  const go = (by: number) => {
    const index = at();
    const next = index < 0 ? (by > 0 ? 0 : tasks.length - 1) : Math.min(tasks.length - 1, Math.max(0, index + by));
    const task = tasks[next];
    if (task) focus(task.id);
  };
  const start = (doing: Doing) => {
    const task = tasks[at()];
    if (!task || !may) return false;
    begin(task, doing);
    return true;
  };
  useKeys({ j: () => go(1), k: () => go(-1), a: () => start("approve"), r: () => start("reject"), e: () => start("edit") });
  const kept = useRef({ focus });
  kept.current.focus = focus;
  return kept.current;
}
