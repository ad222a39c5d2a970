/** Who is there: asked once before anything else is shown. Signed out, a page asks to sign in and then shows itself. */

import { Center, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createContext, lazy, Suspense, use, type ReactNode } from "react";

import { sessionQuery, type Permission, type Session } from "../api/session";
import { Trouble } from "../components/trouble";

const Known = createContext<Session | null>(null);
const SignIn = lazy(() => import("../features/sign-in/page"));
const NoProject = lazy(() => import("../features/sign-in/no-project"));

export function SessionGate({ children }: { children: ReactNode }) {
  const { data, error, isPending, refetch } = useQuery(sessionQuery);
  if (isPending) return <Wait />;
  if (data === null) {
    return (
      <Suspense fallback={<Wait />}>
        <SignIn />
      </Suspense>
    );
  }
  if (!data) return <Trouble error={error} onRetry={() => void refetch()} whole />;
  if (!data.project) {
    return (
      <Suspense fallback={<Wait />}>
        <NoProject session={data} />
      </Suspense>
    );
  }
  return <Known value={data}>{children}</Known>;
}

function Wait() {
  return (
    <Center h="100dvh" aria-busy="true">
      <Loader size="sm" color="gray" aria-label="Loading" />
    </Center>
  );
}

/** Return who is signed in. Only below `SessionGate`. */
export function useSession(): Session {
  const session = use(Known);
  if (!session) throw new Error("nobody is known outside SessionGate");
  return session;
}

/** Return whether whoever is there may do this here. */
export function useMay(permission: Permission): boolean {
  const { permissions, project } = useSession();
  return permissions.includes(permission) && !(project?.archived_at && permission !== "workflow:read");
}
