/** Who is there, and signing in and out. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, setCsrfToken, type Schemas } from "./client";
import { isSignedOut } from "./problem";

export type Session = Schemas["SessionView"];
export type Permission = Session["permissions"][number];

export const sessionKeys = { session: ["session"] as const, ways: ["sign-in"] as const };

function entered(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

/** Who is there; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: sessionKeys.session,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return entered(await answer(api.GET("/v1/session", { signal })));
    } catch (error) {
      if (isSignedOut(error)) return null;
      throw error;
    }
  },
  staleTime: 60_000,
  retry: false,
});

export const signInWaysQuery = queryOptions({
  queryKey: sessionKeys.ways,
  queryFn: ({ signal }) => answer(api.GET("/v1/sign-in", { signal })),
});

export async function signIn(email: string, password: string): Promise<Session> {
  return entered(await answer(api.POST("/v1/session", { body: { email, password } })));
}

export async function signOut(): Promise<void> {
  await answer(api.DELETE("/v1/session"));
  setCsrfToken(null);
}

export async function switchProject(project: string): Promise<Session> {
  return entered(await answer(api.POST("/v1/session/project", { body: { project } })));
}
