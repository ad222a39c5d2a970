/** Versions: which there are, which one runs start with, and what differs between two. */

import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { IconArrowRight, IconGitCommit } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { activateVersion, diffQuery, versionsQuery, type Version } from "../../api/versions";
import { workflowKeys, type Workflow } from "../../api/workflows";
import { announce } from "../../app/announce";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { LineDiff } from "../../components/diff-text";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import table from "../../components/table.module.css";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { firstOf } from "../../model/search-values";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";

export function VersionsPage() {
  return <AgentFrame tab="versions">{(agent) => <Versions agent={agent} />}</AgentFrame>;
}

function Versions({ agent }: { agent: Workflow }) {
  const { data, error, isPending, refetch } = useQuery(versionsQuery(agent.slug));
  const may = useMay("workflow:write");
  const known = useQueryClient();
  const activating = useMutation({
    mutationFn: (number: number) => activateVersion(agent.slug, number),
    onSuccess: (_, number) => {
      announce(`Runs start with version ${number} from now on`);
      void known.invalidateQueries({ queryKey: workflowKeys.all });
    },
  });
  if (error) return <Trouble error={error} what="agent" onRetry={() => void refetch()} />;
  const versions = data?.data ?? [];
  if (!isPending && versions.length === 0) {
    return (
      <EmptyState
        icon={<IconGitCommit />}
        title="No versions yet"
        text="Publish the draft: that is the first one. A version never changes."
      />
    );
  }
  return (
    <div className={styles.body}>
      <Compare agent={agent} versions={versions} />
      <InlineTrouble error={activating.error} />
      <div className={styles.wide}>
        <table className={table.table} aria-busy={isPending}>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Note</th>
              <th scope="col">Published</th>
              <th scope="col">By</th>
              <th scope="col">Runs</th>
            </tr>
          </thead>
          <tbody>
            {isPending ? (
              <tr>
                <td colSpan={5}>
                  <Skeleton height={10} width={240} />
                </td>
              </tr>
            ) : (
              versions.map((version) => (
                <tr key={version.number}>
                  <td>Version {version.number}</td>
                  <td>{version.note ? oneLine(version.note) : <span className={styles.mark}>-</span>}</td>
                  <td>
                    <Moment at={version.created_at} />
                  </td>
                  <td>{version.created_by ?? "-"}</td>
                  <td>
                    {version.active ? (
                      <span className={styles.mark} data-active>
                        Active
                      </span>
                    ) : may ? (
                      <Button
                        size="compact-xs"
                        aria-label={`Activate version ${version.number}`}
                        loading={activating.isPending && activating.variables === version.number}
                        onClick={() => activating.mutate(version.number)}
                      >
                        Activate
                      </Button>
                    ) : (
                      "-"
                    )}
                  </td>
                </tr>
              ))
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Compare({ agent, versions }: { agent: Workflow; versions: Version[] }) {
  const [values, change] = useSearchValues();
  const newest = versions[0]?.number;
  const usual = agent.unpublished_changes ? "draft" : String(newest ?? "");
  const to = firstOf(values["to"]) ?? usual;
  const from = firstOf(values["from"]) ?? String(to === "draft" ? (newest ?? "") : (versions[1]?.number ?? newest ?? ""));
  const possible = from !== "" && to !== "" && from !== to;
  const { data, error, isPending } = useQuery({ ...diffQuery(agent.slug, Number(from), to), enabled: possible });
  if (versions.length + (agent.unpublished_changes ? 1 : 0) < 2) return null;
  const choices = versions.map((each) => ({
    value: String(each.number),
    label: `Version ${each.number}${each.active ? " (active)" : ""}`,
  }));
  return (
    <section aria-label="What differs">
      <div className={styles.bar} style={{ justifyContent: "flex-start", marginBottom: 12 }}>
        <h2 className={styles.heading}>What differs</h2>
        <NativeSelect
          size="xs"
          aria-label="From"
          value={from}
          data={choices}
          onChange={(event) => {
            const next = event.currentTarget.value;
            change((now) => ({ ...now, from: next, to }));
          }}
        />
        <IconArrowRight size={14} aria-hidden />
        <NativeSelect
          size="xs"
          aria-label="To"
          value={to}
          data={agent.unpublished_changes ? [{ value: "draft", label: "Draft" }, ...choices] : choices}
          onChange={(event) => {
            const next = event.currentTarget.value;
            change((now) => ({ ...now, to: next, from }));
          }}
        />
      </div>
      {error ? (
        <InlineTrouble error={error} />
      ) : !possible || data?.identical ? (
        <p className={styles.quiet}>They are the same.</p>
      ) : isPending ? (
        <Skeleton height={120} />
      ) : (
        data && <LineDiff text={data.text ?? ""} />
      )}
    </section>
  );
}
