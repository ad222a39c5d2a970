/** Configure: an agent's draft as a form, saved and published. */

import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";

import { saveAgent } from "../../api/agents";
import { Problem } from "../../api/problem";
import { workflowKeys, type Workflow } from "../../api/workflows";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { Note } from "../../components/note";
import { InlineTrouble } from "../../components/trouble";
import { readAgent, writeAgent, type AgentForm } from "../../model/agent-document";
import { sentence } from "../../model/sentence";
import { AgentFields } from "./agent-form";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";
import { PublishDialog } from "./publish-dialog";

export function ConfigurePage() {
  return <AgentFrame tab="configure">{(agent) => <Configure key={agent.id} agent={agent} />}</AgentFrame>;
}

function Configure({ agent }: { agent: Workflow }) {
  const may = useMay("workflow:write");
  const known = useQueryClient();
  const [form, setForm] = useState<AgentForm>(() => readAgent(agent.document));
  const [faults, setFaults] = useState<Record<string, string | null>>({});
  const [publishing, setPublishing] = useState(false);
  const document = writeAgent(agent.document, form);
  const isChanged = JSON.stringify(document) !== JSON.stringify(writeAgent(agent.document, readAgent(agent.document)));
  const isReadable = Object.values(faults).every((fault) => !fault);
  useBlocker({
    shouldBlockFn: () => isChanged && !window.confirm("Leave without saving what you changed?"),
    enableBeforeUnload: isChanged,
  });
  const saving = useMutation({
    mutationFn: () => saveAgent(agent, document),
    onSuccess: (saved) => {
      announce("The draft is saved");
      known.setQueryData(workflowKeys.one(agent.slug), saved);
      setForm(readAgent(saved.document));
    },
  });
  const problems = agent.problems ?? [];
  const reload = () => {
    saving.reset();
    void known.fetchQuery({ queryKey: workflowKeys.one(agent.slug) }).then(() => known.invalidateQueries({ queryKey: workflowKeys.all }));
  };
  return (
    <>
      <div className={styles.body}>
        {problems.length > 0 && (
          <Note
            tone="amber"
            title={
              problems.length === 1
                ? "One thing to put right before it can be published"
                : `${problems.length} things to put right before it can be published`
            }
          >
            {problems.slice(0, 8).map((problem, index) => (
              <div key={index}>
                {sentence(problem.message)} {problem.hint && sentence(problem.hint)}{" "}
                {problem.pointer && <code className={styles.code}>{problem.pointer}</code>}
              </div>
            ))}
          </Note>
        )}
        <AgentFields
          form={form}
          onChange={(part) => setForm((now) => ({ ...now, ...part }))}
          onFault={(field, fault) => setFaults((now) => ({ ...now, [field]: fault }))}
        />
        <InlineTrouble error={saving.error} onRetry={saving.error instanceof Problem && saving.error.status === 412 ? reload : undefined} />
      </div>
      {may && (
        <div className={styles.save}>
          <span>
            {isChanged
              ? "Changed, not saved"
              : agent.unpublished_changes
                ? "The draft is saved, and not published yet"
                : "Nothing to publish"}
          </span>
          <Button variant="subtle" color="gray" disabled={!isChanged} onClick={() => setForm(readAgent(agent.document))}>
            Discard
          </Button>
          <Button disabled={!isChanged || !isReadable || !form.name.trim()} loading={saving.isPending} onClick={() => saving.mutate()}>
            Save draft
          </Button>
          <Button
            variant="filled"
            disabled={(!isChanged && !agent.unpublished_changes) || !isReadable || (problems.length > 0 && !isChanged)}
            onClick={() => setPublishing(true)}
          >
            Publish
          </Button>
        </div>
      )}
      {publishing && (
        <PublishDialog agent={agent} save={isChanged ? () => saving.mutateAsync() : null} onClose={() => setPublishing(false)} />
      )}
    </>
  );
}
