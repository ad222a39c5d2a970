/** The project's API keys: what each may do, since when, and taking it back. */

import { Button, Skeleton } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { apiKeysQuery, revokeApiKey, settingKeys, type ApiKey } from "../../api/settings";
import { announce } from "../../app/announce";
import { useNow } from "../../app/now";
import { useMay } from "../../app/session";
import { Confirm } from "../../components/confirm";
import { Moment } from "../../components/moment";
import { Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { NewKey } from "./new-key";
import { Section } from "./section";
import styles from "./settings.module.css";

export function KeysPart() {
  const { data, error, refetch } = useQuery(apiKeysQuery);
  const may = useMay("admin");
  const [making, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<ApiKey | null>(null);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  return (
    <Section
      title="API keys"
      text="For programs that use this project. A key's text is shown once, and kept nowhere."
      action={
        may && (
          <Button variant="filled" leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
    >
      {!data ? (
        <Skeleton height={120} />
      ) : data.data.length === 0 ? (
        <p className={styles.none}>No program has a key of this project yet.</p>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label="API keys">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">May</th>
                <th scope="col">Made</th>
                <th scope="col">Last used</th>
                <th scope="col">Ends</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.data.map((key) => (
                <Row key={key.id} apiKey={key} may={may} onRevoke={() => setRevoked(key)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {making && <NewKey onClose={() => setMaking(false)} />}
      {revoked && <Revoke apiKey={revoked} onClose={() => setRevoked(null)} />}
    </Section>
  );
}

function Row({ apiKey, may, onRevoke }: { apiKey: ApiKey; may: boolean; onRevoke: () => void }) {
  const now = useNow(60_000);
  const ended = apiKey.revoked_at ?? (apiKey.expires_at && Date.parse(apiKey.expires_at) < now ? apiKey.expires_at : null);
  return (
    <tr data-over={ended ? true : undefined}>
      <th scope="row">
        <bdi>{oneLine(apiKey.name)}</bdi>
        <small>
          <code>{apiKey.id}</code>
        </small>
      </th>
      <td>
        {apiKey.scopes.map((scope) => (
          <span key={scope} className={styles.tag}>
            {scope}
          </span>
        ))}
      </td>
      <td>
        <Moment at={apiKey.created_at} />
      </td>
      <td>{apiKey.last_used_at ? <Moment at={apiKey.last_used_at} as="ago" /> : "never"}</td>
      <td>{apiKey.revoked_at ? "revoked" : apiKey.expires_at ? <Moment at={apiKey.expires_at} /> : "never"}</td>
      <td data-right>
        {!ended && may && (
          <Button size="compact-xs" variant="subtle" color="red" onClick={onRevoke} aria-label={`Revoke ${apiKey.name}`}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: revokeApiKey,
    onSuccess: () => {
      announce("Revoked");
      onClose();
      return client.invalidateQueries({ queryKey: settingKeys.keys });
    },
  });
  return (
    <Confirm
      title={`Revoke ${oneLine(apiKey.name)}?`}
      text="Programs that use it are refused from now on. It cannot be given back."
      action="Revoke"
      isDoing={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(apiKey.id)}
      onClose={onClose}
    />
  );
}
