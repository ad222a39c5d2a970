/** Secrets: values that documents name and nobody sees again. */

import { Button, Group, Modal, PasswordInput, Skeleton, Stack, TagsInput, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { connectionKeys, createSecret, deleteSecret, secretsQuery, type Secret } from "../../api/connections";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { Confirm } from "../../components/confirm";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import styles from "./page.module.css";

export function SecretList({ onNew }: { onNew?: () => void }) {
  const { data, error, refetch } = useQuery(secretsQuery);
  const may = useMay("admin");
  const [removed, setRemoved] = useState<Secret | null>(null);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} m={24} />;
  if (data.data.length === 0) {
    return (
      <EmptyState
        icon={<IconKey />}
        title="No secrets yet"
        text={
          <>
            Documents name a secret as <code>secrets.NAME</code>; its value is put in only where it is sent to one of its origins.
          </>
        }
        action={
          onNew && (
            <Button variant="filled" onClick={onNew}>
              Keep the first
            </Button>
          )
        }
      />
    );
  }
  return (
    <div className={styles.scroll} tabIndex={0} role="group" aria-label="Secrets">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">May be sent to</th>
            <th scope="col" data-wide>
              Changed
            </th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.data.map((secret) => (
            <tr key={secret.id}>
              <th scope="row">
                <code>{secret.name}</code>
              </th>
              <td>
                <bdi>{secret.allowed_origins.map(oneLine).join(", ")}</bdi>
              </td>
              <td data-wide>
                <Moment at={secret.updated_at} as="ago" />
              </td>
              <td>
                {may && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    aria-label={`Delete ${secret.name}`}
                    onClick={() => setRemoved(secret)}
                  >
                    Delete
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {removed && <Deleting secret={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

function Deleting({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: deleteSecret,
    onSuccess: () => {
      announce("Deleted");
      onClose();
      return client.invalidateQueries({ queryKey: connectionKeys.secrets });
    },
  });
  return (
    <Confirm
      title={`Delete ${secret.name}?`}
      text="Steps that name it fail from now on. Its value is gone for good."
      action="Delete"
      isDoing={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(secret.id)}
      onClose={onClose}
    />
  );
}

export function NewSecret({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [origins, setOrigins] = useState<string[]>([]);
  const save = useMutation({
    mutationFn: createSecret,
    onSuccess: () => {
      announce("Saved");
      onClose();
      return client.invalidateQueries({ queryKey: connectionKeys.secrets });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ name: name.trim(), value, allowed_origins: origins });
  };
  return (
    <Modal opened onClose={onClose} title="New secret" size="md">
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label="Name"
            description="Documents name it secrets.NAME."
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Value"
            required
            autoComplete="off"
            size="sm"
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <TagsInput
            label="May be sent to"
            description="Origins, such as https://api.example.com. Enter adds one."
            size="sm"
            value={origins}
            onChange={setOrigins}
            clearable={false}
          />
          <InlineTrouble error={save.error} />
          <Group justify="flex-end" gap={8}>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="filled" loading={save.isPending} disabled={!name.trim() || !value || origins.length === 0}>
              Keep it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
