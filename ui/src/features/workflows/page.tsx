/** Workflows: what there is, whether runs can be started, and the way to their runs. */

import { Button, SegmentedControl, Skeleton, TextInput } from "@mantine/core";
import { IconFilterOff, IconGitBranch, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { workflowsQuery, type WorkflowSummary } from "../../api/workflows";
import { agentAddress, workflowRunsAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { CopyButton } from "../../components/copy-button";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import table from "../../components/table.module.css";
import { Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { firstOf } from "../../model/search-values";
import styles from "./page.module.css";

const KINDS = ["workflow", "agent", "trace"] as const;
type Kind = (typeof KINDS)[number];

const KIND_LABELS: Record<Kind, string> = { workflow: "Workflow", agent: "Agent", trace: "Trace" };

export function WorkflowsPage() {
  const [values, change] = useSearchValues();
  const q = firstOf(values["q"]);
  const kind = KINDS.find((each) => each === firstOf(values["kind"]));
  const archived = firstOf(values["archived"]) === "true";
  const cursor = firstOf(values["cursor"]);
  const list = useQuery(workflowsQuery({ q, kind, archived: archived || undefined, cursor, limit: 50 }));
  const [draft, setDraft] = useState(q ?? "");
  useEffect(() => setDraft(q ?? ""), [q]);
  useEffect(() => {
    if (draft.trim() === (q ?? "")) return;
    const timer = setTimeout(() => change((now) => ({ ...now, q: draft.trim() || undefined, cursor: undefined }), { replace: true }), 250);
    return () => clearTimeout(timer);
  }, [draft, q, change]);
  const filtered = Boolean(q ?? kind) || archived;
  const rows = list.data?.data ?? [];
  return (
    <>
      <PageHeader title="Workflows" text="What runs: graphs of steps, and agents." />
      <div className={styles.tools}>
        <TextInput
          aria-label="Find a workflow"
          placeholder="Find by name or slug"
          leftSection={<IconSearch size={16} />}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          className={styles.find}
        />
        <SegmentedControl
          size="xs"
          aria-label="Kind"
          value={kind ?? "all"}
          onChange={(next) => change((now) => ({ ...now, kind: next === "all" ? undefined : next, cursor: undefined }))}
          data={[{ value: "all", label: "All" }, ...KINDS.map((each) => ({ value: each, label: `${KIND_LABELS[each]}s` }))]}
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
        <Nothing filtered={filtered} onClear={() => change(() => ({}))} />
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
    <table className={`${table.table} ${styles.table}`} aria-busy={isLoading}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Kind</th>
          <th scope="col">Active version</th>
          <th scope="col">Changed</th>
          <th scope="col">Slug</th>
        </tr>
      </thead>
      <tbody>
        {isLoading
          ? Array.from({ length: 8 }, (_, index) => (
              <tr key={index}>
                {[140, 60, 40, 90, 110].map((width) => (
                  <td key={width}>
                    <Skeleton height={10} width={width} />
                  </td>
                ))}
              </tr>
            ))
          : rows.map((workflow) => <Row key={workflow.id} workflow={workflow} />)}
      </tbody>
    </table>
  );
}

function Row({ workflow }: { workflow: WorkflowSummary }) {
  const address = workflow.kind === "agent" ? agentAddress(workflow.slug) : workflowRunsAddress(workflow.slug);
  return (
    <tr>
      <td>
        <PageLink address={address} className={styles.link}>
          {oneLine(workflow.name)}
        </PageLink>
      </td>
      <td>{KIND_LABELS[workflow.kind as Kind]}</td>
      <td>{version(workflow)}</td>
      <td>
        <Moment at={workflow.updated_at} as="ago" />
      </td>
      <td className={styles.slug}>
        <code>{workflow.slug}</code>
        <CopyButton value={workflow.slug} label={`Copy the slug ${workflow.slug}`} size={12} />
      </td>
    </tr>
  );
}

function version(workflow: WorkflowSummary): string {
  if (workflow.active_version === null) return workflow.latest_version === null ? "Not published" : "None active";
  const newer = workflow.latest_version !== null && workflow.latest_version > workflow.active_version;
  return newer ? `${workflow.active_version} (newest is ${workflow.latest_version})` : String(workflow.active_version);
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState icon={<IconFilterOff />} title="No workflow matches" action={<Button onClick={onClear}>Clear the filters</Button>} />
    );
  }
  return (
    <EmptyState
      icon={<IconGitBranch />}
      title="No workflows yet"
      text={
        <>
          Write one as a document and publish it with <code>runwell publish FILE</code>, or with <code>POST /v1/workflows</code>.
        </>
      }
    />
  );
}
