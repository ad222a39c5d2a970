/** Evaluations: who judges the agent's runs by itself, and the way to what was judged. */

import { Button, NativeSelect, NumberInput } from "@mantine/core";
import { IconListSearch, IconPlus, IconScale } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { attach, attachedQuery, detach, evaluationKeys, evaluatorsQuery, type Evaluator } from "../../api/evaluations";
import type { Workflow } from "../../api/workflows";
import { agentRunsAddress } from "../../app/addresses";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { PageLink } from "../../components/page-link";
import table from "../../components/table.module.css";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { percent } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";
import { EvaluatorDialog } from "./evaluator-dialog";

export function EvaluationsPage() {
  return <AgentFrame tab="evaluations">{(agent) => <Evaluations agent={agent} />}</AgentFrame>;
}

const KINDS: Record<Evaluator["kind"], string> = { judge: "A model with a rubric", code: "Python", workflow: "A workflow" };

function Evaluations({ agent }: { agent: Workflow }) {
  const attached = useQuery(attachedQuery(agent.slug));
  const evaluators = useQuery(evaluatorsQuery);
  const may = useMay("workflow:write");
  const [making, setMaking] = useState(false);
  const known = useQueryClient();
  const detaching = useMutation({
    mutationFn: (id: string) => detach(agent.slug, id),
    onSuccess: () => {
      announce("It judges no more runs");
      void known.invalidateQueries({ queryKey: evaluationKeys.attached(agent.slug) });
    },
  });
  const error = attached.error ?? evaluators.error;
  if (error) return <Trouble error={error} onRetry={() => void Promise.all([attached.refetch(), evaluators.refetch()])} />;
  const rows = attached.data?.data ?? [];
  const all = evaluators.data?.data ?? [];
  const free = all.filter((each) => !rows.some((row) => row.evaluator_id === each.id));
  const create = may && (
    <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
      New evaluator
    </Button>
  );
  const kindOf = (id: string) => all.find((each) => each.id === id)?.kind;
  return (
    <div className={styles.body}>
      <div className={styles.bar}>
        <p className={styles.quiet}>Evaluators judge the runs that succeed from now on, or a share of them.</p>
        <div className={styles.actions}>
          <Button
            leftSection={<IconListSearch size={14} />}
            renderRoot={(props: object) => <PageLink address={agentRunsAddress(agent.slug, { q: "score:>=0" })} {...props} />}
          >
            Judged runs
          </Button>
          {create}
        </div>
      </div>
      {attached.isSuccess && rows.length === 0 ? (
        <EmptyState
          icon={<IconScale />}
          title="No evaluator judges this agent"
          text={free.length > 0 ? "Choose one below." : "An evaluator is a model with a rubric, or a piece of Python."}
        />
      ) : (
        <div className={styles.wide}>
          <table className={table.table} aria-busy={attached.isPending}>
            <thead>
              <tr>
                <th scope="col">Evaluator</th>
                <th scope="col">Kind</th>
                <th scope="col" data-right>
                  Share of runs
                </th>
                <th scope="col">Since</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.evaluator_id}>
                  <td className={styles.link}>{oneLine(row.evaluator)}</td>
                  <td>{KINDS[kindOf(row.evaluator_id) ?? "workflow"]}</td>
                  <td data-right>{percent(row.sample_rate)}</td>
                  <td>
                    <Moment at={row.created_at} />
                  </td>
                  <td>
                    {may && (
                      <Button size="compact-xs" aria-label={`Detach ${row.evaluator}`} onClick={() => detaching.mutate(row.evaluator_id)}>
                        Detach
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <InlineTrouble error={detaching.error} />
      {may && free.length > 0 && <Attach agent={agent} free={free} />}
      {making && <EvaluatorDialog onClose={() => setMaking(false)} />}
    </div>
  );
}

function Attach({ agent, free }: { agent: Workflow; free: Evaluator[] }) {
  const [chosen, setChosen] = useState("");
  const [share, setShare] = useState<number>(100);
  const evaluator = free.find((each) => each.id === chosen) ?? free[0];
  const known = useQueryClient();
  const attaching = useMutation({
    mutationFn: () => attach(agent.slug, evaluator?.id ?? "", share / 100),
    onSuccess: () => {
      announce("It judges runs from now on");
      void known.invalidateQueries({ queryKey: evaluationKeys.attached(agent.slug) });
    },
  });
  return (
    <form
      aria-label="Attach an evaluator"
      onSubmit={(event) => {
        event.preventDefault();
        attaching.mutate();
      }}
    >
      <div className={styles.bar} style={{ justifyContent: "flex-start", alignItems: "flex-end" }}>
        <NativeSelect
          label="Evaluator"
          value={evaluator?.id ?? ""}
          data={free.map((each) => ({ value: each.id, label: oneLine(each.name) }))}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        <NumberInput
          label="Share of runs"
          suffix=" %"
          min={1}
          max={100}
          w={130}
          value={share}
          onChange={(next) => setShare(typeof next === "number" ? next : 100)}
        />
        <Button type="submit" size="sm" loading={attaching.isPending}>
          Judge runs with it
        </Button>
      </div>
      <InlineTrouble error={attaching.error} />
    </form>
  );
}
