/** Tools: what the agent may call, with what the model is told of it. */

import { Button } from "@mantine/core";
import { IconGitBranch, IconHandStop, IconPlug, IconTool } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { connectionToolsQuery } from "../../api/connection-tools";
import type { Workflow } from "../../api/workflows";
import { agentAddress, workflowRunsAddress } from "../../app/addresses";
import { EmptyState } from "../../components/empty-state";
import { JsonView } from "../../components/json-view";
import { PageLink } from "../../components/page-link";
import { PlainText } from "../../components/plain-text";
import { InlineTrouble } from "../../components/trouble";
import { toolsOf, type AgentTool } from "../../model/agent-document";
import { plural } from "../../model/money";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";
import own from "./tools-page.module.css";

export function ToolsPage() {
  return <AgentFrame tab="tools">{(agent) => <Tools agent={agent} />}</AgentFrame>;
}

function Tools({ agent }: { agent: Workflow }) {
  const tools = toolsOf(agent.document);
  const change = (
    <Button renderRoot={(props: object) => <PageLink address={agentAddress(agent.slug)} {...props} />}>
      {tools.length > 0 ? "Change the tools" : "Add tools"}
    </Button>
  );
  if (tools.length === 0) {
    return (
      <EmptyState
        icon={<IconTool />}
        title="No tools"
        text="This agent answers from what it is told. With tools it can look things up, and do them."
        action={change}
      />
    );
  }
  return (
    <div className={`${styles.body} ${styles.narrow}`}>
      <div className={styles.bar}>
        <p className={styles.quiet}>{plural(tools.length, "tool")} of the draft. What a run is offered is looked up in its first round.</p>
        {change}
      </div>
      <div className={own.tools}>
        {tools.map((tool) => (
          <Tool key={tool.name} tool={tool} />
        ))}
      </div>
    </div>
  );
}

const KINDS = { declared: "Of its own", mcp: "MCP server", workflow: "Workflow", unknown: "Not declared" };
const ICONS = { declared: IconTool, mcp: IconPlug, workflow: IconGitBranch, unknown: IconTool };

function Tool({ tool }: { tool: AgentTool }) {
  const Icon = ICONS[tool.kind];
  return (
    <section className={styles.card} aria-label={tool.name}>
      <div className={own.head}>
        <Icon size={16} aria-hidden />
        <h2 className={own.name}>{tool.name}</h2>
        <span className={styles.mark}>{KINDS[tool.kind]}</span>
        {tool.requiresApproval && (
          <span className={own.approval}>
            <IconHandStop size={14} aria-hidden /> Asks a person first
          </span>
        )}
      </div>
      {tool.description && (
        <p className={styles.quiet}>
          <PlainText text={tool.description} />
        </p>
      )}
      {tool.kind === "workflow" && (
        <p className={styles.quiet}>
          Runs <PageLink address={workflowRunsAddress(tool.from)}>{tool.from}</PageLink> as a child run.
        </p>
      )}
      {tool.kind === "mcp" && <OfServer tool={tool} />}
      {tool.input_schema !== null && (
        <div className={own.schema}>
          <JsonView value={tool.input_schema} open={3} label={`Input schema of ${tool.name}`} />
        </div>
      )}
    </section>
  );
}

/** What the server offers now: the one tool, or all of them. */
function OfServer({ tool }: { tool: AgentTool }) {
  const { data, error } = useQuery(connectionToolsQuery(tool.from));
  const wanted = tool.name.slice(tool.name.indexOf("/") + 1);
  if (error) return <InlineTrouble error={error} />;
  const offered = (data?.data ?? []).filter((each) => wanted === "*" || each.name === wanted);
  return (
    <ul className={own.offered}>
      {offered.map((each) => (
        <li key={each.name}>
          <code className={styles.code}>{each.name}</code> <PlainText text={each.description ?? ""} />
        </li>
      ))}
    </ul>
  );
}
