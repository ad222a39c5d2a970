/** Runs an agent with an input that is written in a form. */

import { Button, Group, Modal, Skeleton, Stack } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { startAgent } from "../../api/agents";
import { versionQuery } from "../../api/versions";
import type { Workflow } from "../../api/workflows";
import { agentRunAddress } from "../../app/addresses";
import { announce } from "../../app/announce";
import { InputEditor } from "../../components/input-editor";
import { InlineTrouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { unwritten } from "../../model/schema-fields";

export function RunDialog({ agent, onClose }: { agent: Workflow; onClose: () => void }) {
  const { data: version } = useQuery({ ...versionQuery(agent.slug, agent.active_version ?? 0), enabled: agent.active_version !== null });
  const [input, setInput] = useState<unknown>(undefined);
  const [fault, setFault] = useState<string | null>(null);
  const schema = (version?.document as Record<string, unknown> | undefined)?.["input_schema"];
  const navigate = useNavigate();
  const starting = useMutation({
    mutationFn: () => startAgent(agent.id, input ?? unwritten(schema)),
    onSuccess: ({ run_id }) => {
      announce("The run has started");
      void navigate({ to: agentRunAddress(agent.slug, run_id).to });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Run ${oneLine(agent.name)}`} size={560}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          starting.mutate();
        }}
      >
        <Stack gap="md">
          {version ? <InputEditor schema={schema} value={input} onChange={setInput} onFault={setFault} /> : <Skeleton height={140} />}
          <InlineTrouble error={starting.error} />
          <Group justify="flex-end" gap="xs">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" type="submit" loading={starting.isPending} disabled={fault !== null}>
              Start the run
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
