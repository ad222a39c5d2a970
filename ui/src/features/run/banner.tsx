/** The run in one line, and under it why it failed and what to do, or what it waits for; how the live view stands. */

import { Anchor, Button } from "@mantine/core";
import { IconArrowRight, IconPlugConnected, IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { announce } from "../../app/announce";
import { usePreferences } from "../../app/preferences";
import { runAddress } from "../../app/addresses";
import { PageLink } from "../../components/page-link";
import { PlainText } from "../../components/plain-text";
import { StatusIcon } from "../../components/status-icon";
import { bannerMoment, longDuration, nextAction, outcome } from "../../model/run/banner";
import { culpritOf } from "../../model/run/culprit";
import { plural } from "../../model/money";
import { cut } from "../../model/safe-text";
import { isLive, runLook } from "../../model/status";
import { duration, fullMoment } from "../../model/time";
import styles from "./banner.module.css";
import { goToDecision } from "./reveal";
import { useRunPage } from "./run-page";

export function Banner() {
  const { record, latest, at, now } = useRunPage();
  const { timeZone } = usePreferences();
  const look = runLook(record.status);
  const tone = { "--tone": `var(--tone-${look.tone})`, "--tone-ink": `var(--tone-${look.tone}-ink)` } as React.CSSProperties;
  const began = record.started ?? record.created;
  const took = began === null ? null : Math.max(0, (record.ended ?? now) - began);
  useAnnouncedStatus(outcome(latest));
  return (
    <section className={styles.banner} style={tone} aria-label="What became of the run" data-status={record.status}>
      <StatusIcon icon={look.icon} tone={look.tone} size={20} />
      <div className={styles.words}>
        <p className={styles.line}>
          <strong>{outcome(record)}</strong>
          {began !== null && (
            <span title={fullMoment(began, timeZone)}>
              {" - Started: "}
              <time dateTime={new Date(began).toISOString()}>{bannerMoment(began, timeZone)}</time>
              {`, ${record.ended === null ? "Running for" : "Took"}: ${took === null ? "-" : longDuration(took)}`}
            </span>
          )}
          {at !== null && <span className={styles.rewound}>as it stood at event {at}</span>}
        </p>
        <Cause />
        <Waiting />
      </div>
      <LiveMark />
    </section>
  );
}

function Cause() {
  const { run, record, chosen, choose } = useRunPage();
  const culprit = culpritOf(record);
  if (!culprit) return null;
  const elsewhere = (run.causes ?? []).findLast((cause) => cause.run_id !== run.id);
  const error = elsewhere?.error ?? culprit.error;
  const { shown, rest } = cut(error?.message ?? "", 600);
  return (
    <>
      <p className={styles.cause}>
        {culprit.path !== null && (
          <>
            <Anchor
              component="button"
              type="button"
              className={styles.step}
              onClick={() => choose(culprit.path)}
              disabled={chosen === culprit.path}
            >
              <PlainText text={culprit.path} />
            </Anchor>
            {" failed: "}
          </>
        )}
        <PlainText text={shown} />
        {rest > 0 && "…"} {error && <code className={styles.code}>{error.code}</code>}
        {elsewhere && (
          <PageLink address={runAddress(elsewhere.run_id, { step: elsewhere.path })} className={styles.elsewhere}>
            Open the child run <IconArrowRight size={12} aria-hidden />
          </PageLink>
        )}
      </p>
      <p className={styles.next}>
        {nextAction(error as never)}
        {consequencesIn(culprit)}
      </p>
    </>
  );
}

function consequencesIn({ cancelled, blocked }: { cancelled: string[]; blocked: string[] }): string {
  const parts = [
    cancelled.length > 0 && `${plural(cancelled.length, "step")} in flight ${cancelled.length === 1 ? "was" : "were"} cancelled`,
    blocked.length > 0 && `${plural(blocked.length, "step")} could not begin`,
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(", ")}.` : "";
}

function Waiting() {
  const { record, at, choose, now } = useRunPage();
  if (at !== null || record.ended !== null) return null;
  const task = [...record.tasks.values()].find((each) => !each.decided);
  if (task) {
    return (
      <p className={styles.cause}>
        <PlainText text={task.title} />
        <Button
          size="compact-xs"
          variant="filled"
          ml={10}
          onClick={() => {
            choose(task.step);
            goToDecision();
          }}
        >
          Decide
        </Button>
      </p>
    );
  }
  if (record.status !== "waiting") return null;
  const waits = [...record.steps.values()].filter((step) => step.status === "waiting").slice(0, 3);
  return (
    <p className={styles.cause}>
      {waits.map((step) => {
        const wait = step.waits.at(-1);
        const rest = wait?.until ? wait.until - now : null;
        return (
          <span key={step.path} className={styles.wait}>
            <Anchor component="button" type="button" className={styles.step} onClick={() => choose(step.path)}>
              <PlainText text={step.path} />
            </Anchor>
            {wait?.message ? ` waits for the message ${wait.message}` : " waits"}
            {rest !== null && rest > 0 && `, goes on in ${duration(Math.ceil(rest / 1000) * 1000)}`}
          </span>
        );
      })}
    </p>
  );
}

function useAnnouncedStatus(words: string): void {
  const before = useRef(words);
  useEffect(() => {
    if (before.current !== words) announce(words);
    before.current = words;
  }, [words]);
}

/** Whether what is seen is live. Lost connections are told, and that nothing was lost by them. */
function LiveMark() {
  const { watched, source, latest } = useRunPage();
  const { live, error } = watched;
  const [again, setAgain] = useState(false);
  const kind = live?.kind;
  const back = live?.kind === "live" && live.again;
  useEffect(() => {
    if (kind === "reconnecting") announce("The connection is lost: reconnecting");
    if (!back) return;
    announce("Connected again");
    setAgain(true);
    const timer = setTimeout(() => setAgain(false), 6_000);
    return () => clearTimeout(timer);
  }, [kind, back]);
  if (error) {
    return (
      <span className={styles.live} data-kind="lost">
        <IconPlugConnectedX size={14} aria-hidden /> Not all events could be read
        <Anchor component="button" type="button" fz={12} onClick={() => source.again()}>
          Try again
        </Anchor>
      </span>
    );
  }
  if (kind === "reconnecting") {
    return (
      <span className={styles.live} data-kind="lost">
        <IconPlugConnectedX size={14} aria-hidden /> Reconnecting…
      </span>
    );
  }
  if (again) {
    return (
      <span className={styles.live} data-kind="again">
        <IconPlugConnected size={14} aria-hidden /> Connected again
      </span>
    );
  }
  if ((kind === "refused" || kind === "ended") && isLive(latest.status)) {
    return (
      <span className={styles.live} data-kind="lost">
        <IconPlugConnectedX size={14} aria-hidden /> No longer live: reload the page
      </span>
    );
  }
  if (kind !== "live") return null;
  return (
    <span className={styles.live} data-kind="live">
      <span className={styles.dot} aria-hidden /> Live
    </span>
  );
}
