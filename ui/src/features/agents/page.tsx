/** Agents: what there is, which version runs, and the way to make one. */

import { Button, SegmentedControl, Skeleton, TextInput } from "@mantine/core";
import { IconFilterOff, IconPlus, IconRobot, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { workflowsQuery, type WorkflowSummary } from "../../api/workflows";
import { agentAddress, agentRunsAddress, newAgentAddress, playgroundAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { CopyButton } from "../../components/copy-button";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import table from "../../components/table.module.css";
import { Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { firstOf } from "../../model/search-values";
import styles from "./agents.module.css";
import { VersionMark } from "./version-mark";

export function AgentsPage() {
  const [values, change] = useSearchValues();
  const q = firstOf(values["q"]);
  const archived = firstOf(values["archived"]) === "true";
  const cursor = firstOf(values["cursor"]);
  const list = useQuery(workflowsQuery({ kind: "agent", q, archived: archived || undefined, cursor, limit: 50 }));
  const may = useMay("workflow:write");
  const [draft, setDraft] = useState(q ?? "");
  useEffect(() => setDraft(q ?? ""), [q]);
  useEffect(() => {
    if (draft.trim() === (q ?? "")) return;
    const timer = setTimeout(() => change((now) => ({ ...now, q: draft.trim() || undefined, cursor: undefined }), { replace: true }), 250);
    return () => clearTimeout(timer);
  }, [draft, q, change]);
  const rows = list.data?.data ?? [];
  const create = may && (
    <Button
      variant="filled"
      leftSection={<IconPlus size={14} />}
      renderRoot={(props: object) => <PageLink address={newAgentAddress} {...props} />}
    >
      New agent
    </Button>
  );
  return (
    <>
      <PageHeader title="Agents" text="Models that call tools until they have an answer." actions={create} />
      <div className={styles.tools}>
        <TextInput
          aria-label="Find an agent"
          placeholder="Find by name or slug"
          leftSection={<IconSearch size={16} />}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          className={styles.find}
        />
        <SegmentedControl
          size="xs"
          aria-label="Archived"
          value={archived ? "archived" : "current"}
          onChange={(next) => change((now) => ({ ...now, archived: next === "archived" ? "true" : undefined, cursor: undefined }))}
          data={[
            { value: "current", label: "Current" },
            { value: "archived", label: "Archived" },
          ]}
        />
      </div>
      {list.error ? (
        <Trouble error={list.error} onRetry={() => void list.refetch()} />
      ) : list.isSuccess && rows.length === 0 ? (
        q || archived ? (
          <EmptyState
            icon={<IconFilterOff />}
            title="No agent matches"
            action={<Button onClick={() => change(() => ({}))}>Clear the filters</Button>}
          />
        ) : (
          <EmptyState
            icon={<IconRobot />}
            title="No agents yet"
            text="An agent has instructions, a model and tools. Every run of it is kept, with each call that it made."
            action={create}
          />
        )
      ) : (
        <Table rows={rows} isLoading={list.isPending} />
      )}
      {(list.data?.next_cursor || list.data?.prev_cursor) && (
        <div className={styles.turn}>
          <Button
            disabled={!list.data.prev_cursor}
            onClick={() => change((now) => ({ ...now, cursor: list.data.prev_cursor ?? undefined }))}
          >
            Previous
          </Button>
          <Button
            disabled={!list.data.next_cursor}
            onClick={() => change((now) => ({ ...now, cursor: list.data.next_cursor ?? undefined }))}
          >
            Next
          </Button>
        </div>
      )}
    </>
  );
}

function Table({ rows, isLoading }: { rows: WorkflowSummary[]; isLoading: boolean }) {
  return (
    <table className={`${table.table} ${styles.list}`} aria-busy={isLoading}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Version</th>
          <th scope="col">Changed</th>
          <th scope="col">Slug</th>
          <th scope="col">Go to</th>
        </tr>
      </thead>
      <tbody>
        {isLoading
          ? Array.from({ length: 6 }, (_, index) => (
              <tr key={index}>
                {[140, 60, 90, 110, 80].map((width) => (
                  <td key={width}>
                    <Skeleton height={10} width={width} />
                  </td>
                ))}
              </tr>
            ))
          : rows.map((agent) => (
              <tr key={agent.id}>
                <td>
                  <PageLink address={agentAddress(agent.slug)} className={styles.link}>
                    {oneLine(agent.name)}
                  </PageLink>
                </td>
                <td>
                  <VersionMark agent={agent} />
                </td>
                <td>
                  <Moment at={agent.updated_at} as="ago" />
                </td>
                <td className={styles.slug}>
                  <code>{agent.slug}</code>
                  <CopyButton value={agent.slug} label={`Copy the slug ${agent.slug}`} size={12} />
                </td>
                <td className={styles.ways}>
                  <PageLink address={agentRunsAddress(agent.slug)}>Runs</PageLink>
                  <PageLink address={playgroundAddress({ workflow: agent.slug })}>Playground</PageLink>
                </td>
              </tr>
            ))}
      </tbody>
    </table>
  );
}
