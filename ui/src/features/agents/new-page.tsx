/** A new agent: the same form, empty. It becomes a draft, which is published from its own page. */

import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { createAgent, publishAgent } from "../../api/agents";
import { workflowKeys } from "../../api/workflows";
import { agentAddress, agentsAddress } from "../../app/addresses";
import { announce } from "../../app/announce";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { InlineTrouble } from "../../components/trouble";
import { EMPTY_AGENT, writeAgent, type AgentForm } from "../../model/agent-document";
import { AgentFields } from "./agent-form";
import styles from "./agents.module.css";

export function NewAgentPage() {
  const [form, setForm] = useState<AgentForm>(EMPTY_AGENT);
  const [faults, setFaults] = useState<Record<string, string | null>>({});
  const navigate = useNavigate();
  const known = useQueryClient();
  const isReady = form.name.trim() !== "" && form.model.trim() !== "" && Object.values(faults).every((fault) => !fault);
  const making = useMutation({
    mutationFn: async (publish: boolean) => {
      const made = await createAgent(writeAgent(null, form));
      // A draft that cannot be published yet is kept: its page says what is to be put right.
      if (publish && (made.problems ?? []).length === 0) await publishAgent(made.id, null, true);
      return made;
    },
    onSuccess: (made) => {
      announce("The agent is made");
      void known.invalidateQueries({ queryKey: workflowKeys.all });
      void navigate({ to: agentAddress(made.slug).to });
    },
  });
  return (
    <div className={styles.page}>
      <PageHeader title="New agent" above={<PageLink address={agentsAddress()}>Agents</PageLink>} />
      <div className={styles.body}>
        <AgentFields
          form={form}
          onChange={(part) => setForm((now) => ({ ...now, ...part }))}
          onFault={(field, fault) => setFaults((now) => ({ ...now, [field]: fault }))}
        />
        <InlineTrouble error={making.error} />
      </div>
      <div className={styles.save}>
        <span>{isReady ? "" : "A name and a model are needed"}</span>
        <Button disabled={!isReady} loading={making.isPending && !making.variables} onClick={() => making.mutate(false)}>
          Save draft
        </Button>
        <Button variant="filled" disabled={!isReady} loading={making.isPending && making.variables} onClick={() => making.mutate(true)}>
          Create and publish
        </Button>
      </div>
    </div>
  );
}
