/** Keeps a variant as a version of its workflow. */

import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { keepVariant } from "../../api/playground";
import { workflowKeys, type Workflow } from "../../api/workflows";
import { announce } from "../../app/announce";
import { InlineTrouble } from "../../components/trouble";
import { nameOf, sentOf, type VariantDraft } from "../../model/playground";
import { oneLine } from "../../model/safe-text";

interface Props {
  workflow: Workflow;
  variant: VariantDraft;
  at: number;
  step?: string;
  onClose: () => void;
}

export function SaveVersion({ workflow, variant, at, step, onClose }: Props) {
  const [note, setNote] = useState(nameOf(variant, at));
  const [activate, setActivate] = useState(false);
  const known = useQueryClient();
  const saving = useMutation({
    mutationFn: () => keepVariant(workflow.slug, { variant: sentOf(variant, at, step), note: note.trim() || null, activate }),
    onSuccess: (version) => {
      announce(`Saved as version ${version.number}`);
      void known.invalidateQueries({ queryKey: workflowKeys.all });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Save as a version of ${oneLine(workflow.name)}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        {saving.data ? (
          <Stack gap="md">
            <Text fz={14}>
              Saved as version {saving.data.number}.{" "}
              {saving.data.active ? "Runs start with it from now on." : "Runs go on with the active version."}
            </Text>
            <Group justify="flex-end">
              <Button variant="filled" onClick={onClose} data-autofocus>
                Done
              </Button>
            </Group>
          </Stack>
        ) : (
          <Stack gap="md">
            <TextInput
              label="Note"
              description="What is different about it"
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
              data-autofocus
            />
            <Checkbox
              label="Start runs with it from now on"
              checked={activate}
              onChange={(event) => setActivate(event.currentTarget.checked)}
            />
            <InlineTrouble error={saving.error} />
            <Group justify="flex-end" gap="xs">
              <Button onClick={onClose}>Cancel</Button>
              <Button variant="filled" type="submit" loading={saving.isPending}>
                Save version
              </Button>
            </Group>
          </Stack>
        )}
      </form>
    </Modal>
  );
}
