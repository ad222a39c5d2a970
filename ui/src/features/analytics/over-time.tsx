/** One figure over time. Dragging looks closer, a bar opens its runs; as a table it is for keys and screen readers. */

import { SegmentedControl, Select, Skeleton, Switch } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { runsSeriesQuery, usageSeriesQuery, type Group } from "../../api/analytics";
import { usePreferences } from "../../app/preferences";
import { BarChart, Swatch } from "../../components/bar-chart";
import { InlineTrouble } from "../../components/trouble";
import { compact, count, money } from "../../model/money";
import { GRANULARITIES, groupSeries, METRIC_LABELS, METRICS, outcomes, sum, type Metric, type Series } from "../../model/figures";
import { zoneName } from "../../model/time";
import styles from "./page.module.css";
import { SeriesTable } from "./series-table";
import type { PartProps } from "./shared";

const FORMATS: Record<Metric, (n: number) => string> = { runs: compact, steps: compact, tokens: compact, cost: money, saved: money };
const PER: Record<string, string> = { minute: "By minute", hour: "By hour", day: "By day", week: "By week", month: "By month" };
const BY: Record<string, string> = { workflow: "workflow", version: "version", model: "model", trigger: "trigger" };

export interface Bar {
  start: string;
  end: string;
  search: string;
}

export function OverTime({ choices, names, asked, onChange }: PartProps) {
  const { timeZone } = usePreferences();
  const navigate = useNavigate();
  const { metric, granularity, parted, by, asTable } = choices;
  const wanted = { ...asked, granularity, tz: zoneName(timeZone), ...(parted ? { group_by: by } : {}) };
  const runs = useQuery({ ...runsSeriesQuery(wanted), enabled: metric === "runs", placeholderData: keepPreviousData });
  const usage = useQuery({ ...usageSeriesQuery(wanted), enabled: metric !== "runs", placeholderData: keepPreviousData });
  const whole = useQuery({ ...runsSeriesQuery({ ...wanted, group_by: undefined }), enabled: parted });
  const shown = metric === "runs" ? runs : usage;
  const bars: Bar[] = (parted ? whole.data : shown.data)?.series[0]?.buckets ?? [];
  const series = seriesOf(metric, parted, runs.data?.series, usage.data?.series, names.ofGroup);
  const fitting = series.filter((each) => each.values.length === bars.length);
  const format = FORMATS[metric];
  const open = (index: number) => {
    const address = names.behind(bars[index]?.search ?? "");
    void navigate({ to: address.to, search: (address.search ?? {}) as never });
  };
  return (
    <section className={styles.part} aria-labelledby="over-time">
      <header className={styles.head}>
        <h2 id="over-time" className="visually-hidden">
          Over time
        </h2>
        <SegmentedControl
          size="xs"
          aria-label="Figure"
          value={metric}
          onChange={(next) => onChange({ metric: next as Metric })}
          data={METRICS.map((each) => ({ value: each, label: METRIC_LABELS[each] }))}
        />
        <div className={styles.choose}>
          <Switch
            size="xs"
            label={`Part by ${BY[by]}`}
            checked={parted}
            onChange={(event) => onChange({ parted: event.currentTarget.checked })}
          />
          <Switch size="xs" label="As a table" checked={asTable} onChange={(event) => onChange({ asTable: event.currentTarget.checked })} />
          <Select
            size="xs"
            w={128}
            aria-label="A bar is"
            value={granularity ?? ""}
            onChange={(next) => onChange({ granularity: GRANULARITIES.find((each) => each === next) })}
            data={[
              { value: "", label: `${PER[shown.data?.granularity ?? ""] ?? "Fitting"} (fits)` },
              ...GRANULARITIES.map((each) => ({ value: each, label: PER[each] ?? each })),
            ]}
            allowDeselect={false}
          />
        </div>
      </header>
      {shown.error ? (
        <InlineTrouble error={shown.error} onRetry={() => void shown.refetch()} />
      ) : bars.length === 0 || fitting.length === 0 ? (
        <Skeleton height={240} />
      ) : asTable ? (
        <SeriesTable
          bars={bars}
          series={fitting}
          format={metric === "runs" ? count : format}
          addressOf={(bar) => names.behind(bar.search)}
        />
      ) : (
        <>
          <BarChart
            label={`${METRIC_LABELS[metric]} over time: ${format(sum(fitting.flatMap((each) => each.values)))} in all. The same is there as a table.`}
            buckets={bars}
            series={fitting}
            zone={timeZone}
            format={format}
            onSpan={(from, to) => onChange({ from, to, granularity: undefined })}
            onOpen={open}
          />
          <Legend series={fitting} format={format} />
        </>
      )}
    </section>
  );
}

function Legend({ series, format }: { series: readonly Series[]; format: (n: number) => string }) {
  return (
    <div className={styles.legend}>
      {series.map((each) => (
        <span key={each.label}>
          <Swatch tone={each.tone} />
          {each.label} <b>{format(sum(each.values))}</b>
        </span>
      ))}
      <span className={styles.hint}>Drag to look closer, click a bar to see its runs</span>
    </div>
  );
}

type RunsSeries = { group?: Group | null; buckets: { runs: number; statuses: Record<string, number> }[] }[];
type UsageSeries = {
  group?: Group | null;
  buckets: { cost_usd: string; tokens: number; steps: number; saved_cost_usd?: string }[];
}[];

function seriesOf(
  metric: Metric,
  parted: boolean,
  runs: RunsSeries | undefined,
  usage: UsageSeries | undefined,
  nameOf: (group: Group | null | undefined) => string,
): Series[] {
  if (metric === "runs") {
    if (!runs) return [];
    if (!parted) return outcomes(runs[0]?.buckets ?? []);
    return groupSeries(runs.map(({ group, buckets }) => ({ label: nameOf(group), values: buckets.map((bucket) => bucket.runs) })));
  }
  if (!usage) return [];
  const of = (bucket: UsageSeries[number]["buckets"][number]) =>
    metric === "cost"
      ? Number(bucket.cost_usd)
      : metric === "saved"
        ? Number(bucket.saved_cost_usd ?? 0)
        : metric === "tokens"
          ? bucket.tokens
          : bucket.steps;
  if (parted) return groupSeries(usage.map(({ group, buckets }) => ({ label: nameOf(group), values: buckets.map(of) })));
  const tone = metric === "saved" ? "green" : "blue";
  return [{ label: METRIC_LABELS[metric], tone, values: (usage[0]?.buckets ?? []).map(of) }];
}
