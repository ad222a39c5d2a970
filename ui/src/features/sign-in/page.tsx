/** Asks who is there. The address stays: signed in, one sees what one came for. */

import { Button, Divider, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { apiAddress } from "../../api/client";
import { Problem } from "../../api/problem";
import { sessionKeys, signIn, signInWaysQuery } from "../../api/session";
import { queryClient } from "../../app/query-client";
import { useTitle } from "../../app/title";
import { Logo } from "../../components/logo";
import { Note } from "../../components/note";
import { InlineTrouble } from "../../components/trouble";
import styles from "./page.module.css";

export default function SignInPage() {
  useTitle("Sign in");
  const ways = useQuery(signInWaysQuery);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const enter = useMutation({
    mutationKey: sessionKeys.session,
    mutationFn: () => signIn(email.trim(), password),
    onSuccess: (session) => queryClient.setQueryData(sessionKeys.session, session),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter.mutate();
  };
  const oidc = ways.data?.methods.includes("oidc");
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <Logo size={32} />
        <h1>Sign in to Runwell</h1>
        <p>Runs are private to their organization.</p>
        {ways.data && !ways.data.set_up && (
          <Note title="Nobody can sign in yet">
            The server printed a link when it started: it makes the first user. Start it again for a new one.
          </Note>
        )}
        {oidc && (
          <>
            <Button fullWidth size="sm" component="a" href={apiAddress("/v1/session/oidc", { return_to: whereWeAre() })}>
              Sign in with your organization
            </Button>
            <Divider my="md" label="or with a password" />
          </>
        )}
        <form onSubmit={submit} className={styles.form}>
          <TextInput
            label="E-mail address"
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            size="sm"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <InlineTrouble error={enter.error && wait(enter.error)} />
          <Button type="submit" variant="filled" size="sm" fullWidth loading={enter.isPending}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}

function whereWeAre(): string {
  return location.pathname + location.search;
}

function wait(error: Error): Error {
  if (!(error instanceof Problem) || error.status !== 429 || error.retryAfter === null) return error;
  return new Error(`Too many attempts. Try again in ${Math.ceil(error.retryAfter / 60)} min.`);
}
