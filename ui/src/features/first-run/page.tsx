/** What somebody sees who has no workflow yet: a demo that really runs, and the way to one's own. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";

import { workflowsQuery } from "../../api/workflows";
import { runsAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { firstOf } from "../../model/search-values";
import { Demo } from "./demo";
import { OwnWorkflow } from "./own-workflow";
import styles from "./page.module.css";

/** The console's start: the first-run page as long as there is nothing, the runs from then on. */
export function StartPage() {
  const [values] = useSearchValues();
  const { data, isPending } = useQuery(workflowsQuery({ limit: 1 }));
  if (isPending) return <Skeleton m={24} height={160} />;
  if (firstOf(values["run"]) === undefined && data?.data.length !== 0) return <Navigate to={runsAddress().to} replace />;
  return <WelcomePage />;
}

export function WelcomePage() {
  return (
    <div className={styles.page}>
      <PageHeader title="Welcome to Runwell" text="It runs AI workflows, and keeps every run. Two minutes show you how." />
      <div className={styles.columns}>
        <Demo />
        <OwnWorkflow />
      </div>
      <p className={styles.foot}>
        Or go to the <PageLink address={runsAddress()}>runs</PageLink>, the list of all that ever ran.
      </p>
    </div>
  );
}
