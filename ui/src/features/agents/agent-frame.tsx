/** What every page of an agent has: its name, what can be done with it, and the way to its other pages. */

import { Button, Skeleton } from "@mantine/core";
import { IconFlask, IconPlayerPlayFilled } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { workflowQuery, type Workflow } from "../../api/workflows";
import { agentsAddress, playgroundAddress } from "../../app/addresses";
import { useMay } from "../../app/session";
import { AgentTabs, type AgentTabName } from "../../components/agent-tabs";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import styles from "./agents.module.css";
import { RunDialog } from "./run-dialog";
import { VersionMark } from "./version-mark";

interface Props {
  tab: AgentTabName;
  children: (agent: Workflow) => ReactNode;
}

export function AgentFrame({ tab, children }: Props) {
  const { slug } = useParams({ strict: false }) as { slug: string };
  const { data: agent, error, refetch } = useQuery(workflowQuery(slug));
  const may = useMay("workflow:run");
  const [running, setRunning] = useState(false);
  if (error && !agent) return <Trouble page error={error} what="agent" onRetry={() => void refetch()} />;
  return (
    <div className={styles.page}>
      <PageHeader
        title={agent ? oneLine(agent.name) : slug}
        above={
          <>
            <PageLink address={agentsAddress()}>Agents</PageLink>
            {" / "}
            {slug}
          </>
        }
        mark={agent && <VersionMark agent={agent} />}
        actions={
          agent &&
          agent.active_version !== null &&
          may && (
            <>
              <Button
                leftSection={<IconFlask size={14} />}
                renderRoot={(props: object) => <PageLink address={playgroundAddress({ workflow: agent.slug })} {...props} />}
              >
                Try in playground
              </Button>
              <Button variant="filled" leftSection={<IconPlayerPlayFilled size={14} />} onClick={() => setRunning(true)}>
                Run
              </Button>
            </>
          )
        }
      />
      <AgentTabs slug={slug} tab={tab} />
      {agent ? (
        children(agent)
      ) : (
        <div className={styles.body} aria-busy="true">
          <Skeleton height={36} width={320} />
          <Skeleton height={160} />
          <Skeleton height={36} />
        </div>
      )}
      {running && agent && <RunDialog agent={agent} onClose={() => setRunning(false)} />}
    </div>
  );
}
