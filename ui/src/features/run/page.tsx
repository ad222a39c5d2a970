/** The page of one run: what became of it, why, and what it did, step by step. */

import { Skeleton } from "@mantine/core";
import { useParams } from "@tanstack/react-router";

import { useTitle } from "../../app/title";
import { Trouble } from "../../components/trouble";
import { runLook } from "../../model/status";
import { oneLine } from "../../model/safe-text";
import { Banner } from "./banner";
import { RunHeader } from "./header";
import styles from "./page.module.css";
import { RunPageContext, type RunPage } from "./run-page";
import { Panel } from "./panel/panel";
import { Tabs } from "./tabs/tabs";
import { TimeSlider } from "./time-slider";
import { useRunPageOf } from "./use-run-page";
import { useRunKeys } from "./use-run-keys";

export function RunPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <OneRun key={id} id={id} agent={null} />;
}

export function AgentRunPage() {
  const { id, slug } = useParams({ strict: false }) as { id: string; slug: string };
  return <OneRun key={id} id={id} agent={slug} />;
}

function OneRun({ id, agent }: { id: string; agent: string | null }) {
  const { page, error, retry } = useRunPageOf(id, agent);
  if (error) {
    return (
      <>
        <h1 className="visually-hidden">Run</h1>
        <Trouble error={error} onRetry={retry} what="run" />
      </>
    );
  }
  if (!page) return <Loading />;
  return (
    <RunPageContext value={page}>
      <Whole page={page} agent={agent} />
    </RunPageContext>
  );
}

function Whole({ page, agent }: { page: RunPage; agent: string | null }) {
  useTitle(`${runLook(page.latest.status).label}: ${oneLine(page.run.workflow.name)}`);
  useRunKeys(page);
  return (
    <div className={styles.page}>
      <RunHeader agent={agent} />
      <Banner />
      <div className={styles.body}>
        <div className={styles.main}>
          <Tabs />
          <TimeSlider />
        </div>
        <Panel />
      </div>
    </div>
  );
}

function Loading() {
  useTitle("Run");
  return (
    <div className={styles.page} aria-busy="true" aria-label="Loading">
      <div className={styles.loading}>
        <Skeleton height={12} width={180} />
        <Skeleton height={24} width={320} mt={8} />
        <Skeleton height={48} mt={20} />
        <Skeleton height={28} width={420} mt={20} />
        <Skeleton height={320} mt={16} />
      </div>
    </div>
  );
}
