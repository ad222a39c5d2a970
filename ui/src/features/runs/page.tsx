/** Runs: all of them, or those of one workflow or agent. */

import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { workflowQuery } from "../../api/workflows";
import { agentRunAddress, agentsAddress, runAddress, workflowsAddress, type Address } from "../../app/addresses";
import { AgentTabs } from "../../components/agent-tabs";
import { PageLink } from "../../components/page-link";
import { Trouble } from "../../components/trouble";
import { RunsList } from "./runs-list";

export function AllRunsPage() {
  return <RunsList scope={null} title="Runs" addressOf={(run) => runAddress(run.id)} />;
}

/** Of a workflow or an agent. What is of another project is not there. */
export function WorkflowRunsPage() {
  const { slug } = useParams({ strict: false }) as { slug: string };
  const { data, error, refetch } = useQuery(workflowQuery(slug));
  if (error) return <Trouble page error={error} what="workflow" onRetry={() => void refetch()} />;
  const address = (id: string): Address => (data?.kind === "agent" ? agentRunAddress(data.slug, id) : runAddress(id));
  return (
    <RunsList
      key={slug}
      scope={slug}
      title={data?.name ?? slug}
      above={
        <>
          <PageLink address={data?.kind === "agent" ? agentsAddress() : workflowsAddress()}>
            {data?.kind === "agent" ? "Agents" : "Workflows"}
          </PageLink>
          {" / "}
          {slug}
        </>
      }
      below={data?.kind === "agent" && <AgentTabs slug={data.slug} tab="runs" />}
      addressOf={(run) => address(run.id)}
    />
  );
}
