/** Making a connection, or changing one. Credentials that are kept stay unless others are typed. */

import { Button, Group, Modal, PasswordInput, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { changeConnection, connectionKeys, createConnection, type Connection } from "../../api/connections";
import { announce } from "../../app/announce";
import { InlineTrouble } from "../../components/trouble";
import {
  bodyOf,
  CONNECTION_TYPES,
  draftOf,
  faultsOf,
  hasHeaders,
  NEW_CONNECTION,
  type ConnectionDraft,
  type ConnectionFault,
} from "../../model/connection-form";
import { HeaderFields } from "./header-fields";
import styles from "./page.module.css";

export function ConnectionForm({ connection, onClose }: { connection?: Connection; onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<ConnectionDraft>(() => (connection ? draftOf(connection) : NEW_CONNECTION));
  const [faults, setFaults] = useState<ConnectionFault>({});
  const set = (part: Partial<ConnectionDraft>) => {
    setFaults({});
    setDraft((now) => ({ ...now, ...part }));
  };
  const save = useMutation({
    mutationFn: () =>
      connection
        ? changeConnection({ id: connection.id, revision: connection.revision, body: bodyOf(draft) })
        : createConnection({ name: draft.name, type: draft.type, secret_headers: {}, ...bodyOf(draft) }),
    onSuccess: () => {
      announce("Saved");
      onClose();
      return client.invalidateQueries({ queryKey: connectionKeys.list });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = faultsOf(draft);
    setFaults(found);
    if (Object.keys(found).length === 0) save.mutate();
  };
  const headed = hasHeaders(draft.type);
  const kept = connection?.has_secret ? "Kept. Type to replace it." : undefined;
  return (
    <Modal opened onClose={onClose} title={connection ? `Change ${connection.name}` : "New connection"} size="lg">
      <form onSubmit={submit}>
        <Stack gap="md">
          {!connection && (
            <Group grow align="flex-start">
              <Select
                label="Type"
                description={CONNECTION_TYPES.find((each) => each.value === draft.type)?.about}
                data={CONNECTION_TYPES.map(({ value, label }) => ({ value, label }))}
                value={draft.type}
                allowDeselect={false}
                onChange={(type) => set({ type: (type ?? "http") as ConnectionDraft["type"] })}
              />
              <TextInput
                label="Name"
                description="Documents name it so."
                required
                data-autofocus
                value={draft.name}
                error={faults.name}
                onChange={(event) => set({ name: event.currentTarget.value })}
              />
            </Group>
          )}
          <TextInput
            label={headed ? "Address" : "Address (if not the provider's own)"}
            placeholder="https://"
            inputMode="url"
            value={draft.baseUrl}
            onChange={(event) => set({ baseUrl: event.currentTarget.value })}
          />
          {headed ? (
            <>
              <HeaderFields
                label={connection?.has_secret ? "Secret headers (those kept stay unless you type others)" : "Secret headers"}
                secret
                headers={draft.secretHeaders}
                onChange={(secretHeaders) => set({ secretHeaders })}
              />
              <HeaderFields label="Other headers" headers={draft.headers} onChange={(headers) => set({ headers })} />
            </>
          ) : (
            <PasswordInput
              label="Key"
              description={kept}
              autoComplete="off"
              size="sm"
              value={draft.apiKey}
              onChange={(event) => set({ apiKey: event.currentTarget.value })}
            />
          )}
          <TagsInput
            label="Allowed origins"
            description="Where the credentials may be sent. Left empty: to the address alone."
            placeholder={draft.origins.length === 0 ? "https://api.example.com" : undefined}
            value={draft.origins}
            onChange={(origins) => set({ origins })}
            clearable={false}
            size="sm"
          />
          {!headed && (
            <div className={styles.row}>
              <TextInput
                label="Calls at a time"
                placeholder="Any"
                inputMode="numeric"
                value={draft.concurrent}
                error={faults.concurrent}
                onChange={(event) => set({ concurrent: event.currentTarget.value })}
              />
              <TextInput
                label="Calls in a minute"
                placeholder="Any"
                inputMode="numeric"
                value={draft.perMinute}
                error={faults.perMinute}
                onChange={(event) => set({ perMinute: event.currentTarget.value })}
              />
              <TextInput
                label="Seconds for a call"
                placeholder="Any"
                inputMode="decimal"
                value={draft.timeout}
                error={faults.timeout}
                onChange={(event) => set({ timeout: event.currentTarget.value })}
              />
            </div>
          )}
          <InlineTrouble error={save.error} />
          <Group justify="flex-end" gap={8}>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="filled" loading={save.isPending}>
              {connection ? "Save" : "Make the connection"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
