/** Somebody is signed in, but may not enter the project that they were in. */

import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";

import { sessionKeys, signOut, switchProject, type Session } from "../../api/session";
import { queryClient } from "../../app/query-client";
import { EmptyState } from "../../components/empty-state";
import { InlineTrouble } from "../../components/trouble";

export default function NoProject({ session }: { session: Session }) {
  const anew = () => void queryClient.resetQueries({ queryKey: sessionKeys.session });
  const move = useMutation({ mutationFn: switchProject, onSuccess: anew });
  const leave = useMutation({ mutationFn: signOut, onSuccess: anew });
  const none = session.projects.length === 0;
  return (
    <EmptyState
      whole
      icon={<IconLock />}
      title={none ? "You have no project here" : "You are not in a project"}
      text={none ? `Ask an admin of ${session.organization.name} for a role in one.` : "Choose one that you may enter."}
      action={
        <>
          {session.projects.map((project) => (
            <Button key={project.id} loading={move.isPending} onClick={() => move.mutate(project.id)}>
              {project.name}
            </Button>
          ))}
          <Button variant="subtle" onClick={() => leave.mutate()}>
            Sign out
          </Button>
        </>
      }
      foot={<InlineTrouble error={move.error ?? leave.error} />}
    />
  );
}
