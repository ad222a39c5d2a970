/** Making an API key: what it may do, and until when. Its text is shown once. */

import { Button, Checkbox, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { createApiKey, settingKeys } from "../../api/settings";
import { useSession } from "../../app/session";
import { ShownOnce } from "../../components/shown-once";
import { InlineTrouble } from "../../components/trouble";

const SCOPES: [string, string][] = [
  ["workflow:read", "See workflows and runs"],
  ["workflow:write", "Change and publish workflows"],
  ["workflow:run", "Start and steer runs"],
  ["task:complete", "Decide what runs ask of people"],
  ["admin", "Manage keys, connections and settings"],
];
const DAY_MS = 86_400_000;
const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "", label: "It does not end" },
];

export function NewKey({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const { permissions } = useSession();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(["workflow:read", "workflow:run"]);
  const [lives, setLives] = useState("90");
  const make = useMutation({ mutationFn: createApiKey, onSuccess: () => client.invalidateQueries({ queryKey: settingKeys.keys }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expires_at = lives ? new Date(Date.now() + Number(lives) * DAY_MS).toISOString() : undefined;
    make.mutate({ name: name.trim(), scopes: scopes as never, ...(expires_at ? { expires_at } : {}) });
  };
  return (
    <Modal opened onClose={onClose} title={make.data ? "The key is made" : "New API key"} size="md">
      {make.data ? (
        <Stack gap="md">
          <ShownOnce text={make.data.key} label="the key" note="Copy it now: it is shown this once, and kept nowhere." />
          <Group justify="flex-end">
            <Button variant="filled" onClick={onClose} data-autofocus>
              Done
            </Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="md">
            <TextInput
              label="Name"
              description="For whom or what it is."
              required
              data-autofocus
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Checkbox.Group label="It may" value={scopes} onChange={setScopes}>
              <Stack gap={8} mt={4}>
                {SCOPES.map(([scope, words]) => (
                  <Checkbox key={scope} value={scope} label={`${words} (${scope})`} disabled={!permissions.includes(scope as never)} />
                ))}
              </Stack>
            </Checkbox.Group>
            <Select label="It ends after" data={LIVES} value={lives} allowDeselect={false} onChange={(next) => setLives(next ?? "")} />
            <InlineTrouble error={make.error} />
            <Group justify="flex-end" gap={8}>
              <Button onClick={onClose}>Cancel</Button>
              <Button type="submit" variant="filled" loading={make.isPending} disabled={!name.trim() || scopes.length === 0}>
                Make the key
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
