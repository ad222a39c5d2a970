/** The project's connections: what each leads to, trying it out, changing and deleting it. */

import { ActionIcon, Button, Loader, Menu, Skeleton } from "@mantine/core";
import { IconCircleCheck, IconCircleX, IconDots, IconPlug } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { connectionKeys, connectionsQuery, deleteConnection, testConnection, type Connection } from "../../api/connections";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { Confirm } from "../../components/confirm";
import { EmptyState } from "../../components/empty-state";
import { Moment } from "../../components/moment";
import { Trouble, troubleWords } from "../../components/trouble";
import { typeLabel } from "../../model/connection-form";
import { plural } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { duration } from "../../model/time";
import { ConnectionForm } from "./connection-form";
import styles from "./page.module.css";
import { ToolsShown } from "./tools-shown";

export function ConnectionList({ onNew }: { onNew?: () => void }) {
  const { data, error, refetch } = useQuery(connectionsQuery);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (data?.data.length === 0) {
    return (
      <EmptyState
        icon={<IconPlug />}
        title="No connections yet"
        text="A connection keeps an address and credentials: of a model provider, an HTTP service, or an MCP server with tools. Without one, models use the keys of the server's environment."
        action={
          onNew && (
            <Button variant="filled" onClick={onNew}>
              Make the first
            </Button>
          )
        }
      />
    );
  }
  return (
    <div className={styles.scroll} tabIndex={0} role="group" aria-label="Connections">
      <table className={styles.table} aria-busy={!data}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col" data-wide>
              Leads to
            </th>
            <th scope="col" data-wide>
              Credentials
            </th>
            <th scope="col" data-wide>
              Changed
            </th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>{data ? data.data.map((each) => <Row key={each.id} connection={each} />) : <Waiting />}</tbody>
      </table>
    </div>
  );
}

type Doing = "edit" | "delete" | "tools" | null;

function Row({ connection }: { connection: Connection }) {
  const may = useMay("admin");
  const [doing, setDoing] = useState<Doing>(null);
  const trial = useMutation({
    mutationFn: testConnection,
    onSuccess: ({ ok }) => announce(ok ? `${connection.name} answers` : `${connection.name} does not answer as it should`),
  });
  const { name, type, base_url, allowed_origins, has_secret, secret_headers, updated_at } = connection;
  return (
    <tr>
      <th scope="row">
        <code>{name}</code>
        {(trial.data || trial.error) && (
          <small>
            <Told trial={trial.data} error={trial.error} />
          </small>
        )}
      </th>
      <td>{typeLabel(type)}</td>
      <td data-wide>
        <bdi>{oneLine(base_url ?? "the provider's own address")}</bdi>
        {allowed_origins.length > 1 && <small>{plural(allowed_origins.length, "allowed origin")}</small>}
      </td>
      <td data-wide>{has_secret ? (secret_headers.length > 0 ? secret_headers.map(oneLine).join(", ") : "Key kept") : "None"}</td>
      <td data-wide>
        <Moment at={updated_at} as="ago" />
      </td>
      <td>
        {may && (
          <>
            <Button size="compact-xs" onClick={() => trial.mutate(connection.id)} disabled={trial.isPending} aria-label={`Test ${name}`}>
              {trial.isPending ? <Loader size={12} color="gray" /> : "Test"}
            </Button>{" "}
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={`More about ${name}`} style={{ verticalAlign: "middle" }}>
                  <IconDots size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => setDoing("edit")}>Change</Menu.Item>
                {type === "mcp" && <Menu.Item onClick={() => setDoing("tools")}>Show its tools</Menu.Item>}
                <Menu.Item color="red" onClick={() => setDoing("delete")}>
                  Delete
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )}
        {doing === "edit" && <ConnectionForm connection={connection} onClose={() => setDoing(null)} />}
        {doing === "tools" && <ToolsShown connection={connection} onClose={() => setDoing(null)} />}
        {doing === "delete" && <Deleting connection={connection} onClose={() => setDoing(null)} />}
      </td>
    </tr>
  );
}

function Told({
  trial,
  error,
}: {
  trial: { ok: boolean; status: number | null; duration_ms: number; error?: string | null } | undefined;
  error: unknown;
}) {
  if (trial?.ok) {
    return (
      <span className={styles.ok}>
        <IconCircleCheck size={14} aria-hidden /> Answers{trial.status ? ` (${trial.status})` : ""} in {duration(trial.duration_ms)}
      </span>
    );
  }
  return (
    <span className={styles.bad}>
      <IconCircleX size={14} aria-hidden /> <bdi>{trial ? oneLine(trial.error ?? `It answered ${trial.status}`) : troubleWords(error)}</bdi>
    </span>
  );
}

function Deleting({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: deleteConnection,
    onSuccess: () => {
      announce("Deleted");
      onClose();
      return client.invalidateQueries({ queryKey: connectionKeys.list });
    },
  });
  return (
    <Confirm
      title={`Delete ${connection.name}?`}
      text="Steps that name it fail from now on. Its credentials are gone for good."
      action="Delete"
      isDoing={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(connection.id)}
      onClose={onClose}
    />
  );
}

function Waiting() {
  return Array.from({ length: 5 }, (_, index) => (
    <tr key={index}>
      {[110, 70, 160, 80, 60, 40].map((width) => (
        <td key={width}>
          <Skeleton height={10} width={width} />
        </td>
      ))}
    </tr>
  ));
}
