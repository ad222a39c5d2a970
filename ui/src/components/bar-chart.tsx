/** Stacked bars over time, on a canvas. Dragging over it chooses a span, a click opens a bar; a table beside it does the same by keys. */

import "uplot/dist/uPlot.min.css";

import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";

import { fullMoment, axisMoment, type TimeZone } from "../model/time";
import { stacked, sum, type Series } from "../model/figures";
import styles from "./bar-chart.module.css";

export interface ChartBucket {
  start: string;
  end: string;
}

interface Props {
  label: string;
  buckets: readonly ChartBucket[];
  series: readonly Series[];
  zone: TimeZone;
  format: (n: number) => string;
  onSpan: (from: string, to: string) => void;
  onOpen: (bucket: number) => void;
}

const HEIGHT = 240;
const LABEL_PX = 84;
const BARELY = 4;

interface Place {
  index: number;
  left: number;
  width: number;
}

export function BarChart({ label, buckets, series, zone, format, onSpan, onOpen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  const [at, setAt] = useState<Place | null>(null);
  const does = useRef({ onSpan, onOpen });
  does.current = { onSpan, onOpen };
  const shape = JSON.stringify([buckets.map((bucket) => bucket.start), series, zone, scheme]);
  const latest = useRef({ buckets, series, format });
  latest.current = { buckets, series, format };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const now = latest.current;
    const chart = new uPlot(options(element, now.buckets, now.series, zone, now.format, does, setAt), dataOf(now.series), element);
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      setAt(null);
    };
  }, [shape, zone]);
  const bucket = at && buckets[at.index];
  return (
    <div className={styles.chart}>
      <div ref={place} role="img" aria-label={label} className={styles.plot} style={{ height: HEIGHT }} />
      {at && bucket && (
        <div
          className={styles.tip}
          style={{ left: at.left, transform: at.left > at.width / 2 ? "translateX(calc(-100% - 12px))" : "translateX(12px)" }}
        >
          <div className={styles.when}>{fullMoment(bucket.start, zone)}</div>
          {series.map((each) => (
            <div key={each.label} className={styles.row}>
              <Swatch tone={each.tone} />
              <span>{each.label}</span>
              <b>{format(each.values[at.index] ?? 0)}</b>
            </div>
          ))}
          {series.length > 1 && (
            <div className={styles.row}>
              <span />
              <span>Together</span>
              <b>{format(sum(series.map((each) => each.values[at.index] ?? 0)))}</b>
            </div>
          )}
        </div>
      )}
    </div>
  );
}

export function Swatch({ tone }: { tone: string }) {
  return <span className={styles.swatch} aria-hidden style={{ background: `var(--tone-${tone})` }} />;
}

/** The highest first: each is drawn over the one before. */
function dataOf(series: readonly Series[]): uPlot.AlignedData {
  const tops = stacked(series).reverse();
  return [(series[0]?.values ?? []).map((_, index) => index), ...tops] as uPlot.AlignedData;
}

function options(
  element: HTMLElement,
  buckets: readonly ChartBucket[],
  series: readonly Series[],
  zone: TimeZone,
  format: (n: number) => string,
  does: React.RefObject<Pick<Props, "onSpan" | "onOpen">>,
  setAt: (place: Place | null) => void,
): uPlot.Options {
  const colours = getComputedStyle(element);
  const colour = (name: string) => colours.getPropertyValue(name).trim();
  const quiet = colour("--quiet");
  const font = `11px ${colours.fontFamily}`;
  const grid = { stroke: colour("--line"), width: 1 };
  const step = distance(buckets);
  const bars = uPlot.paths.bars?.({ size: [0.86, 56], radius: 0.12 });
  let dragged = false;
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { time: false, range: [-0.5, Math.max(0.5, buckets.length - 0.5)] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        stroke: quiet,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 28,
        splits: (u) => every(buckets.length, Math.max(1, Math.floor(u.width / LABEL_PX))),
        values: (_, splits) => splits.map((index) => axisMoment(Date.parse(buckets[index]?.start ?? ""), step, zone)),
      },
      { stroke: quiet, font, grid, ticks: { show: false }, size: 56, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...[...series]
        .reverse()
        .map((each) => ({ label: each.label, fill: colour(`--tone-${each.tone}`), width: 0, paths: bars, points: { show: false } })),
    ],
    hooks: {
      ready: [
        (u) =>
          u.over.addEventListener("click", () => {
            const index = u.cursor.idx;
            if (!dragged && typeof index === "number") does.current.onOpen(index);
            dragged = false;
          }),
      ],
      setSelect: [
        (u) => {
          if (u.select.width < BARELY) return;
          dragged = true;
          const index = (px: number) => Math.min(buckets.length - 1, Math.max(0, Math.round(u.posToVal(px, "x"))));
          const [first, last] = [buckets[index(u.select.left)], buckets[index(u.select.left + u.select.width)]];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (first && last) does.current.onSpan(first.start, last.end);
        },
      ],
      setCursor: [
        (u) => {
          const { idx, left } = u.cursor;
          const inside = typeof idx === "number" && left !== undefined && left >= 0;
          setAt(inside ? { index: idx, left: left + u.over.offsetLeft, width: u.width } : null);
        },
      ],
    },
  };
}

/** Return at most so many places, evenly apart. */
function every(n: number, most: number): number[] {
  const by = Math.max(1, Math.ceil(n / most));
  return Array.from({ length: Math.ceil(n / by) }, (_, index) => index * by);
}

/** Return how long a bucket is; the first and the last may be cut. */
function distance(buckets: readonly ChartBucket[]): number {
  const middle = buckets[Math.min(1, buckets.length - 1)];
  return middle ? Date.parse(middle.end) - Date.parse(middle.start) : 0;
}
