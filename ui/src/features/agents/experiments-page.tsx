/** Experiments: variants of the agent on the rows of a dataset. */

import { Button } from "@mantine/core";
import { IconPlus, IconTestPipe } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { experimentsQuery } from "../../api/evaluations";
import type { Workflow } from "../../api/workflows";
import { experimentAddress } from "../../app/addresses";
import { useMay } from "../../app/session";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { PageLink } from "../../components/page-link";
import table from "../../components/table.module.css";
import { Trouble } from "../../components/trouble";
import { count } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";
import { ExperimentDialog } from "./experiment-dialog";
import { ExperimentBadge } from "./experiment-badge";

export function ExperimentsPage() {
  return <AgentFrame tab="experiments">{(agent) => <Experiments agent={agent} />}</AgentFrame>;
}

function Experiments({ agent }: { agent: Workflow }) {
  const { data, error, isSuccess, isPending, refetch } = useQuery(experimentsQuery);
  const may = useMay("workflow:run");
  const [starting, setStarting] = useState(false);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  const rows = (data?.data ?? []).filter((each) => each.workflow_id === agent.id);
  const create = may && agent.active_version !== null && (
    <Button leftSection={<IconPlus size={14} />} onClick={() => setStarting(true)}>
      New experiment
    </Button>
  );
  return (
    <div className={styles.body}>
      {isSuccess && rows.length === 0 ? (
        <EmptyState
          icon={<IconTestPipe />}
          title="No experiments yet"
          text="An experiment gives each row of a dataset to each variant, and compares scores, times and cost."
          action={create}
        />
      ) : (
        <>
          <div className={styles.bar}>
            <p className={styles.quiet}>Each row of a dataset, given to each variant.</p>
            {create}
          </div>
          <div className={styles.wide}>
            <table className={table.table} aria-busy={isPending}>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Status</th>
                  <th scope="col">Variants</th>
                  <th scope="col" data-right>
                    Runs
                  </th>
                  <th scope="col">Started</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((each) => (
                  <tr key={each.id}>
                    <td>
                      <PageLink address={experimentAddress(agent.slug, each.id)} className={styles.link}>
                        {oneLine(each.name)}
                      </PageLink>
                    </td>
                    <td>
                      <ExperimentBadge experiment={each} />
                    </td>
                    <td>{oneLine(each.variants.map((variant) => variant.variant.name).join(", "))}</td>
                    <td data-right>
                      {each.open_cells > 0 ? `${count(each.cells - each.open_cells)} of ` : ""}
                      {count(each.cells)}
                    </td>
                    <td>
                      <Moment at={each.created_at} as="ago" />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {starting && <ExperimentDialog agent={agent} onClose={() => setStarting(false)} />}
    </div>
  );
}
