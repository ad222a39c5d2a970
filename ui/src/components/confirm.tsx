/** Asks before something that cannot be undone. */

import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { InlineTrouble } from "./trouble";

interface Props {
  title: string;
  text: ReactNode;
  /** What is done, as a verb: it stands on the button. */
  action: string;
  isDoing: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, action, isDoing, error, onConfirm, onClose }: Props) {
  return (
    <Modal opened onClose={onClose} title={title} size="sm">
      <Text fz={14} mb="md">
        {text}
      </Text>
      <InlineTrouble error={error} />
      <Group justify="flex-end" gap={8} mt="md">
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="filled" color="red" loading={isDoing} onClick={onConfirm} data-autofocus>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
