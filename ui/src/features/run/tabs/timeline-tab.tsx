/** The timeline: one row a step, an agent's rounds and tool calls within it. Waits are hatched, long idle stretches compressed. */

import { ActionIcon, Switch, Tooltip } from "@mantine/core";
import { IconChevronRight, IconZoomIn, IconZoomOut, IconZoomReset } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";

import { PlainText } from "../../../components/plain-text";
import { StatusIcon } from "../../../components/status-icon";
import { ticksOf, type Axis } from "../../../model/run/axis";
import { timelineOf, type Bar, type TimelineRow } from "../../../model/run/timeline";
import { rowsOf } from "../../../model/run/tree";
import { firstOf } from "../../../model/search-values";
import { stepLook } from "../../../model/status";
import { duration } from "../../../model/time";
import { useRunPage } from "../run-page";
import styles from "./timeline-tab.module.css";

const ROW = 30;
const ZOOMS = [1, 2, 4, 8, 16, 32];

export function TimelineTab() {
  const { record, tree, isOpen, toggle, chosen, choose, now, values, change } = useRunPage();
  const compressed = firstOf(values["gaps"]) !== "full";
  const zoom = ZOOMS.find((each) => String(each) === firstOf(values["zoom"])) ?? 1;
  const { axis, rows, pauses } = useMemo(
    () => timelineOf(record, rowsOf(tree, isOpen), isOpen, now, compressed),
    [record, tree, isOpen, now, compressed],
  );
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 10 });
  const zoomBy = (by: number) => {
    const next = ZOOMS[ZOOMS.indexOf(zoom) + by];
    if (next) change({ zoom: next === 1 ? undefined : String(next) }, { replace: true });
  };
  const [pointed, setPointed] = useState<number | null>(null);
  return (
    <div className={styles.whole}>
      <div className={styles.tools}>
        <span className={styles.legend}>
          <Key kind="work">Work</Key>
          <Key kind="wait">Waits</Key>
          <Key kind="model">Model</Key>
          <Key kind="tool">Tool</Key>
        </span>
        <span className={styles.pointed}>{pointed === null ? "" : `${duration(Math.round(axis.back(pointed) - axis.from))} in`}</span>
        <Switch
          size="xs"
          label="Compress idle time"
          checked={compressed}
          onChange={(event) => change({ gaps: event.currentTarget.checked ? undefined : "full" }, { replace: true })}
        />
        <span className={styles.zoom} role="group" aria-label="Zoom">
          <Zoom label="Zoom out" disabled={zoom === 1} onClick={() => zoomBy(-1)} icon={<IconZoomOut size={16} />} />
          <Zoom
            label="The whole run"
            disabled={zoom === 1}
            onClick={() => change({ zoom: undefined })}
            icon={<IconZoomReset size={16} />}
          />
          <Zoom label="Zoom in" disabled={zoom === ZOOMS.at(-1)} onClick={() => zoomBy(1)} icon={<IconZoomIn size={16} />} />
        </span>
      </div>
      <div ref={box} className={styles.scroll} tabIndex={0} role="region" aria-label="Timeline">
        <div className={styles.canvas} style={{ width: `${zoom * 100}%`, height: virtual.getTotalSize() + 28 }}>
          <div className={styles.head}>
            <div className={styles.corner}>{rows.length === 0 ? "Nothing has begun yet" : "Step"}</div>
            <div
              className={styles.axis}
              onPointerMove={(event) => {
                const area = event.currentTarget.getBoundingClientRect();
                setPointed((event.clientX - area.left) / area.width);
              }}
              onPointerLeave={() => setPointed(null)}
            >
              <Ticks axis={axis} zoom={zoom} />
            </div>
          </div>
          <div className={styles.marks} aria-hidden>
            <div className={styles.plane}>
              {axis.gaps.map((gap) => (
                <span key={gap.from} className={styles.gap} style={{ left: pct(gap.left), width: pct(gap.width) }} />
              ))}
              {pauses.map((pause) => (
                <span key={pause.from} className={styles.pause} style={across(axis, pause.from, pause.to ?? now)} title="Paused" />
              ))}
            </div>
          </div>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index] as TimelineRow;
            return (
              <Line
                key={row.key}
                row={row}
                axis={axis}
                now={now}
                top={start + 28}
                chosen={row.path === chosen && row.kind === "step"}
                onChoose={() => (row.call === null ? choose(row.path) : change({ step: row.path, panel: "timeline" }))}
                onToggle={() => toggle(row.path)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Zoom({ label, disabled, onClick, icon }: { label: string; disabled: boolean; onClick: () => void; icon: React.ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon size={26} aria-label={label} disabled={disabled} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

function Key({ kind, children }: { kind: Bar["kind"]; children: string }) {
  return (
    <span>
      <i className={styles.bar} data-kind={kind} aria-hidden />
      {children}
    </span>
  );
}

function Ticks({ axis, zoom }: { axis: Axis; zoom: number }) {
  return (
    <>
      {ticksOf(axis, 6 * zoom)
        .filter((ms) => axis.at(axis.from + ms) < 1 - 0.06 / zoom)
        .map((ms) => (
          <span key={ms} className={styles.tick} style={{ left: pct(axis.at(axis.from + ms)) }}>
            {ms === 0 ? "0" : duration(ms)}
          </span>
        ))}
      {axis.gaps.map((gap) => (
        <span
          key={gap.from}
          className={styles.gapWords}
          style={{ left: pct(gap.left + gap.width / 2) }}
          title={`${duration(gap.to - gap.from)} without work`}
        >
          {duration(gap.to - gap.from)}
        </span>
      ))}
    </>
  );
}

interface LineProps {
  row: TimelineRow;
  axis: Axis;
  now: number;
  top: number;
  chosen: boolean;
  onChoose: () => void;
  onToggle: () => void;
}

function Line({ row, axis, now, top, chosen, onChoose, onToggle }: LineProps) {
  const look = row.status === null ? null : stepLook(row.status, row.reason);
  const took = row.from === null ? null : (row.to ?? now) - row.from;
  const end = row.to ?? now;
  return (
    <div className={styles.line} style={{ transform: `translateY(${top}px)` }} data-chosen={chosen || undefined} data-kind={row.kind}>
      <div className={styles.label} style={{ paddingLeft: 8 + (row.level - 1) * 14 }}>
        {row.open === null ? (
          <span className={styles.fold} />
        ) : (
          <button type="button" className={styles.fold} aria-expanded={row.open} aria-label={`${row.label}: fold`} onClick={onToggle}>
            <IconChevronRight size={14} aria-hidden />
          </button>
        )}
        {look && <StatusIcon icon={look.icon} tone={look.tone} size={13} />}
        <button type="button" className={styles.name} onClick={onChoose} title={look?.label}>
          <PlainText text={row.label} />
        </button>
      </div>
      <div className={styles.plane}>
        {row.bars.map((bar, index) => (
          <span
            key={index}
            className={styles.bar}
            data-kind={bar.kind}
            data-failed={bar.failed || undefined}
            style={across(axis, bar.from, bar.to ?? now)}
            title={`${bar.title}: ${duration(Math.max(0, (bar.to ?? now) - bar.from))}`}
          />
        ))}
        {took !== null && (
          <span className={styles.took} {...beside(axis.at(row.from ?? 0), axis.at(end))}>
            {duration(took)}
          </span>
        )}
      </div>
    </div>
  );
}

/** The duration stands behind its bar, before it where there is no room, or else on it. */
function beside(left: number, right: number): { style: React.CSSProperties; "data-on"?: boolean } {
  if (right <= 0.88) return { style: { left: pct(right) } };
  if (left >= 0.14) return { style: { right: pct(1 - left) } };
  return { style: { right: pct(1 - right) }, "data-on": true };
}

function pct(part: number): string {
  return `${(part * 100).toFixed(3)}%`;
}

function across(axis: Axis, from: number, to: number): React.CSSProperties {
  const left = axis.at(from);
  return { left: pct(left), width: pct(Math.max(0, axis.at(to) - left)) };
}
