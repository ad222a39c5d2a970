/** Inviting somebody: Runwell sends no mail, the link is passed on by whoever invites. */

import { Button, Checkbox, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import type { Schemas } from "../../api/client";
import { inviteUser, settingKeys } from "../../api/settings";
import { useSession } from "../../app/session";
import { ShownOnce } from "../../components/shown-once";
import { InlineTrouble } from "../../components/trouble";
import { ROLES } from "./members";

export function Invite({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const { project } = useSession();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState("contributor");
  const [admin, setAdmin] = useState(false);
  const invite = useMutation({ mutationFn: inviteUser, onSuccess: () => client.invalidateQueries({ queryKey: settingKeys.users }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const roles = project && role !== "none" && !admin ? { [project.id]: role as "viewer" } : {};
    invite.mutate({ email: email.trim(), ...(name.trim() ? { name: name.trim() } : {}), roles, organization_admin: admin });
  };
  if (invite.data) return <LinkShown link={invite.data} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title="Invite somebody" size="md">
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label="E-mail address"
            type="email"
            required
            data-autofocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            description="Who accepts may choose another."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={`Role in ${project?.name ?? "this project"}`}
            data={ROLES}
            value={role}
            allowDeselect={false}
            disabled={admin}
            onChange={(next) => setRole(next ?? "none")}
          />
          <Checkbox
            checked={admin}
            onChange={(event) => setAdmin(event.currentTarget.checked)}
            label="Organization admin: may do everything, in every project"
          />
          <InlineTrouble error={invite.error} />
          <Group justify="flex-end" gap={8}>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="filled" loading={invite.isPending} disabled={!email.trim()}>
              Make the invitation
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function LinkShown({ link, onClose }: { link: Schemas["LinkedUser"]; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Pass this link on" size="md">
      <Stack gap="md">
        <ShownOnce
          text={link.link}
          label="the link"
          note={`With it ${link.user.email} chooses a password, once. Runwell sends no mail; it is shown this once.`}
        />
        <Group justify="flex-end">
          <Button variant="filled" onClick={onClose} data-autofocus>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
