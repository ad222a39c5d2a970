/** Who belongs to the organization, and their role in this project. */

import { Button, Menu, Select, Skeleton } from "@mantine/core";
import { IconDots, IconUserPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ActionIcon } from "@mantine/core";
import { useState } from "react";

import { makePasswordLink, settingKeys, updateUser, usersQuery, type Role, type User } from "../../api/settings";
import { announce } from "../../app/announce";
import { useSession } from "../../app/session";
import { Confirm } from "../../components/confirm";
import { Moment } from "../../components/moment";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { Invite, LinkShown } from "./invite";
import { Section } from "./section";
import styles from "./settings.module.css";

export const ROLES = [
  { value: "none", label: "No role here" },
  { value: "viewer", label: "Viewer" },
  { value: "contributor", label: "Contributor" },
  { value: "admin", label: "Admin" },
];

const STATES: Record<User["state"], string> = { active: "Active", disabled: "Disabled", invited: "Invited" };

export function MembersPart() {
  const { data, error, refetch } = useQuery(usersQuery);
  const [inviting, setInviting] = useState(false);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  return (
    <Section
      title="Members and roles"
      text="Viewers see; contributors also change workflows, start runs and decide; admins also manage keys, connections and settings."
      action={
        <Button variant="filled" leftSection={<IconUserPlus size={14} />} onClick={() => setInviting(true)}>
          Invite somebody
        </Button>
      }
    >
      {!data ? (
        <Skeleton height={120} />
      ) : data.data.length === 0 ? (
        <p className={styles.none}>
          This server runs without sign-in: whoever reaches it is the local user. Members count once it runs with it.
        </p>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label="Members">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Member</th>
                <th scope="col">Role in this project</th>
                <th scope="col">State</th>
                <th scope="col">Since</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.data.map((user) => (
                <Row key={user.id} user={user} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </Section>
  );
}

function Row({ user }: { user: User }) {
  const client = useQueryClient();
  const { project, user: me } = useSession();
  const [asked, setAsked] = useState<"disable" | "link" | null>(null);
  const change = useMutation({
    mutationFn: updateUser,
    onSuccess: () => {
      setAsked(null);
      announce("Saved");
      return client.invalidateQueries({ queryKey: settingKeys.users });
    },
  });
  const link = useMutation({ mutationFn: makePasswordLink, onSuccess: () => setAsked("link") });
  const here = project?.id ?? "";
  const choose = (role: string | null) => {
    const { [here]: _, ...others } = user.roles;
    change.mutate({ id: user.id, roles: role === "none" || !role ? others : { ...others, [here]: role as Role } });
  };
  return (
    <tr data-over={user.state === "disabled" || undefined}>
      <th scope="row">
        <bdi>{oneLine(user.name)}</bdi> {user.id === me?.id && <span className={styles.tag}>you</span>}
        <small>
          <bdi>{oneLine(user.email)}</bdi>
        </small>
        <InlineTrouble error={asked === "disable" ? null : (change.error ?? link.error)} />
      </th>
      <td>
        {user.organization_admin ? (
          "Organization admin"
        ) : (
          <Select
            size="xs"
            w={150}
            aria-label={`Role of ${user.name}`}
            data={ROLES}
            allowDeselect={false}
            value={user.roles[here] ?? "none"}
            onChange={choose}
          />
        )}
      </td>
      <td>{STATES[user.state]}</td>
      <td>
        <Moment at={user.created_at} />
      </td>
      <td data-right>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`More about ${user.name}`}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => link.mutate(user.id)}>Make a password link</Menu.Item>
            <Menu.Item onClick={() => change.mutate({ id: user.id, organization_admin: !user.organization_admin })}>
              {user.organization_admin ? "Make an ordinary member" : "Make an organization admin"}
            </Menu.Item>
            {user.state === "disabled" ? (
              <Menu.Item onClick={() => change.mutate({ id: user.id, disabled: false })}>Enable</Menu.Item>
            ) : (
              <Menu.Item color="red" onClick={() => setAsked("disable")}>
                Disable
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
        {asked === "disable" && (
          <Confirm
            title={`Disable ${oneLine(user.name)}?`}
            text="They cannot sign in any more, and all their sessions end at once. Their keys go on; revoke those under API keys."
            action="Disable"
            isDoing={change.isPending}
            error={change.error}
            onConfirm={() => change.mutate({ id: user.id, disabled: true })}
            onClose={() => setAsked(null)}
          />
        )}
        {asked === "link" && link.data && <LinkShown link={link.data} onClose={() => setAsked(null)} />}
      </td>
    </tr>
  );
}
