/** Something went wrong: what, what to do, and the request id to look for in the server's log. */

import { Anchor, Button } from "@mantine/core";
import { IconAlertTriangle, IconLock, IconPlugConnectedX, IconSearchOff } from "@tabler/icons-react";
import { useEffect, useRef } from "react";

import { Problem, Unreachable } from "../api/problem";
import { sentence } from "../model/sentence";
import { CopyButton } from "./copy-button";
import { EmptyState } from "./empty-state";
import styles from "./trouble.module.css";

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** It fills the screen rather than a part of a page. */
  whole?: boolean;
  /** It stands for a whole page, within the shell. */
  page?: boolean;
  /** What was not found, as `run`. */
  what?: string;
}

/** The whole of a page or panel could not be had. */
export function Trouble({ error, onRetry, whole, page, what = "page" }: Props) {
  const again = onRetry && <Button onClick={onRetry}>Try again</Button>;
  if (error instanceof Unreachable) return <Away onRetry={onRetry} whole={whole} page={page || whole} />;
  if (!(error instanceof Problem)) {
    const text = error instanceof Error ? error.message : String(error);
    return (
      <EmptyState icon={<IconAlertTriangle />} title="This page failed" text={text} action={again} whole={whole} page={page || whole} />
    );
  }
  const foot = error.requestId && <RequestIdentity id={error.requestId} />;
  if (error.status === 404) {
    const text = `There is no such ${what} in this project, or it is not yours to see.`;
    return <EmptyState icon={<IconSearchOff />} title="Not found" text={text} foot={foot} whole={whole} page={page || whole} />;
  }
  if (error.status === 403) {
    return (
      <EmptyState
        icon={<IconLock />}
        title="You may not see this"
        text={sentence(error.hint ?? error.message)}
        foot={foot}
        whole={whole}
        page={page || whole}
      />
    );
  }
  const title = error.status >= 500 ? "The server could not answer" : "This cannot be shown";
  const text = [sentence(error.message), error.hint && sentence(error.hint)].filter(Boolean).join(" ");
  return (
    <EmptyState icon={<IconAlertTriangle />} title={title} text={text} action={again} foot={foot} whole={whole} page={page || whole} />
  );
}

const AGAIN_MS = 4_000;

/** The server is away: it is asked again and again, so that the page comes back with it. */
function Away({ onRetry, whole, page }: Pick<Props, "onRetry" | "whole" | "page">) {
  const latest = useRef(onRetry);
  useEffect(() => {
    latest.current = onRetry;
  });
  useEffect(() => {
    const timer = setInterval(() => latest.current?.(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <EmptyState
      icon={<IconPlugConnectedX />}
      title="The server cannot be reached"
      text="Runs go on by themselves. This page comes back when the server does."
      action={onRetry && <Button onClick={onRetry}>Try again</Button>}
      whole={whole}
      page={page}
    />
  );
}

/** A call failed within a page that stays: one line beside what was tried. */
export function InlineTrouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  return (
    <div role="alert" className={styles.inline}>
      <IconAlertTriangle size={16} aria-hidden />
      <span>
        {troubleWords(error)}
        {error instanceof Problem && error.requestId && error.status >= 500 && <RequestIdentity id={error.requestId} />}
      </span>
      {onRetry && (
        <Anchor component="button" type="button" fz={13} onClick={onRetry}>
          Try again
        </Anchor>
      )}
    </div>
  );
}

/** Return what went wrong and what to do, in one or two sentences. */
export function troubleWords(error: unknown): string {
  if (error instanceof Problem) return [sentence(error.message), error.hint && sentence(error.hint)].filter(Boolean).join(" ");
  return sentence(error instanceof Error ? error.message : String(error));
}

function RequestIdentity({ id }: { id: string }) {
  return (
    <span className={styles.request}>
      Request <code>{id}</code> <CopyButton value={id} label="Copy the request id" />
    </span>
  );
}
