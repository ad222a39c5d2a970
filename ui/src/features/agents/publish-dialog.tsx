/** Publishes the draft as a version. What was changed is saved first. */

import { Button, Checkbox, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { publishAgent } from "../../api/agents";
import { workflowKeys, type Workflow } from "../../api/workflows";
import { announce } from "../../app/announce";
import { InlineTrouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";

interface Props {
  agent: Workflow;
  save: (() => Promise<unknown>) | null;
  onClose: () => void;
}

export function PublishDialog({ agent, save, onClose }: Props) {
  const [note, setNote] = useState("");
  const [activate, setActivate] = useState(true);
  const known = useQueryClient();
  const publishing = useMutation({
    mutationFn: async () => {
      await save?.();
      return publishAgent(agent.id, note.trim() || null, activate);
    },
    onSuccess: async (version) => {
      announce(`Published as version ${version.number}`);
      await known.invalidateQueries({ queryKey: workflowKeys.all });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Publish ${oneLine(agent.name)}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          publishing.mutate();
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Note"
            description="What is different in this version"
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            data-autofocus
          />
          <Checkbox
            label="Start runs with it from now on"
            checked={activate}
            onChange={(event) => setActivate(event.currentTarget.checked)}
          />
          <InlineTrouble error={publishing.error} />
          <Group justify="flex-end" gap="xs">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" type="submit" loading={publishing.isPending}>
              Publish version
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
