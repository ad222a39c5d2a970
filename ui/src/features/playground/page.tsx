/** Playground: one input against up to eight variants, side by side. What it begins with is in its address. */

import { Skeleton } from "@mantine/core";

import { useSearchValues } from "../../app/search";
import { PageHeader } from "../../components/page-header";
import { Trouble } from "../../components/trouble";
import { firstOf } from "../../model/search-values";
import { Bench } from "./bench";
import styles from "./bench.module.css";
import { useSource, type Asked } from "./use-source";

export function PlaygroundPage() {
  const [values] = useSearchValues();
  const asked: Asked = {
    workflow: firstOf(values["workflow"]),
    run: firstOf(values["run"]),
    step: firstOf(values["step"]),
    take: firstOf(values["take"]) === "input" ? "input" : undefined,
  };
  const { source, error, retry } = useSource(asked);
  if (error) return <Trouble page error={error} what={asked.run ? "run" : "workflow"} onRetry={retry} />;
  if (!source) return <Loading />;
  return <Bench key={source.key} source={source} />;
}

function Loading() {
  return (
    <div className={styles.page} aria-busy="true">
      <PageHeader title="Playground" text="Loading" />
      <div className={styles.columns}>
        <div className={styles.left}>
          <Skeleton height={16} width={120} />
          <Skeleton height={160} mt={16} />
        </div>
        <div className={styles.variants}>
          {[0, 1].map((each) => (
            <Skeleton key={each} height={420} className={styles.placeholder} />
          ))}
        </div>
      </div>
    </div>
  );
}
