/** What the server said, kept for as long as it is fresh. A refused call that says "signed out" asks who is there anew. */

import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { isSignedOut, Problem } from "../api/problem";
import { sessionKeys } from "../api/session";

function lookAtSession(error: unknown, key: readonly unknown[] | undefined): void {
  if (isSignedOut(error) && key?.[0] !== sessionKeys.session[0]) void queryClient.invalidateQueries({ queryKey: sessionKeys.session });
}

function worthAnotherTry(failures: number, error: Error): boolean {
  if (error instanceof Problem && error.status < 500) return false;
  return failures < 2;
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => lookAtSession(error, query.queryKey) }),
  mutationCache: new MutationCache({ onError: (error, _given, _before, mutation) => lookAtSession(error, mutation.options.mutationKey) }),
  defaultOptions: { queries: { retry: worthAnotherTry, staleTime: 5_000, refetchOnWindowFocus: true }, mutations: { retry: false } },
});
