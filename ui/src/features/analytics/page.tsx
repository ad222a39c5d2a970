/** Figures about many runs: how many, how well, how quick, what they cost and saved. Every number opens the runs behind it. */

import { useQuery } from "@tanstack/react-query";

import { runsCountQuery } from "../../api/analytics";
import { usePreferences } from "../../app/preferences";
import { PageHeader } from "../../components/page-header";
import { Trouble } from "../../components/trouble";
import { spanOf } from "../../model/figures";
import { zoneName } from "../../model/time";
import { Breakdown } from "./breakdown";
import { Controls } from "./controls";
import { OverTime } from "./over-time";
import styles from "./page.module.css";
import { Statuses } from "./statuses";
import { StepTypes } from "./step-types";
import { Tiles } from "./tiles";
import { useFigureChoices, useNames } from "./use-choices";

export function AnalyticsPage() {
  const [choices, change] = useFigureChoices();
  const names = useNames();
  const { timeZone } = usePreferences();
  const asked = spanOf(choices);
  const counts = useQuery(runsCountQuery(asked));
  const shared = { choices, names, asked, onChange: change };
  return (
    <div className={styles.page}>
      <PageHeader title="Analytics" text={`Runs that began in this time. Times are ${zoneName(timeZone)}.`} />
      <Controls {...shared} />
      {counts.error && !counts.data ? (
        <Trouble error={counts.error} what="workflow" onRetry={() => void counts.refetch()} />
      ) : (
        <div className={styles.parts}>
          {counts.data?.behind_ms !== undefined && counts.data.behind_ms !== null && (
            <p className={styles.behind}>The figures may lack what happened in the last {Math.ceil(counts.data.behind_ms / 1000)} s.</p>
          )}
          <Tiles {...shared} />
          <OverTime {...shared} />
          <Breakdown {...shared} />
          <div className={styles.pair}>
            <Statuses {...shared} />
            <StepTypes {...shared} />
          </div>
        </div>
      )}
    </div>
  );
}
