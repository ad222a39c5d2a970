/** Which run this is, and what can be done with it. */

import { CopyButton } from "../../components/copy-button";
import { PageLink } from "../../components/page-link";
import { PlainText } from "../../components/plain-text";
import { agentRunsAddress, runsAddress, workflowRunsAddress } from "../../app/addresses";
import { Controls } from "./controls";
import styles from "./header.module.css";
import { useRunPage } from "./run-page";

export function RunHeader({ agent }: { agent: string | null }) {
  const { run, latest } = useRunPage();
  const environment = latest.origin?.environment ?? "production";
  const { slug, name, version } = run.workflow;
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        <nav aria-label="Where this run belongs" className={styles.above}>
          <PageLink address={runsAddress()}>Runs</PageLink>
          <span aria-hidden>/</span>
          <PageLink address={agent === null ? workflowRunsAddress(slug) : agentRunsAddress(slug)}>{slug}</PageLink>
          <span aria-hidden>/</span>
          <code>{shortId(run.id)}</code>
          <CopyButton value={run.id} label="Copy the run's id" size={12} />
        </nav>
        <h1 className={styles.title}>
          <PlainText text={name} />
          <span className={styles.version} title="The exact version that was carried out">
            v{version}
          </span>
          {environment !== "production" && <span className={styles.version}>{environment}</span>}
          {latest.archived && <span className={styles.version}>archived</span>}
        </h1>
      </div>
      <Controls />
    </header>
  );
}

function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-6)}`;
}
