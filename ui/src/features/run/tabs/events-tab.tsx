/** Every event as a line of a log: live, filtered, followed. Only lines in sight are drawn, so that 100,000 are as quick as ten. */

import { Button, Switch, TextInput } from "@mantine/core";
import { IconChevronRight, IconSearch, IconX } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import { Moment } from "../../../components/moment";
import { JsonView } from "../../../components/json-view";
import { oneLine } from "../../../model/safe-text";
import { count } from "../../../model/money";
import { chosen as fitting, GROUPS, lineOf, toneOf } from "../../../model/run/log";
import type { RunEvent } from "../../../model/run/record";
import { firstOf, listOf } from "../../../model/search-values";
import { useRunPage } from "../run-page";
import styles from "./events-tab.module.css";

const LINE = 28;

export function EventsTab() {
  const { watched, record, at, chosen, choose, values, change } = useRunPage();
  const find = firstOf(values["find"]) ?? "";
  const groups = listOf(values["kind"]);
  const onlyStep = firstOf(values["of"]) === "step";
  const step = onlyStep ? (chosen ?? "") : "";
  const follows = firstOf(values["follow"]) !== "no" && at === null;
  const wanted = useDeferredValue(find);
  const kinds = groups.join();
  const events = useMemo(() => {
    const seen = at === null ? watched.events : watched.events.slice(0, at);
    return fitting(seen, { find: wanted, groups: kinds.split(",").filter(Boolean), step });
    // The events grow in place: their number says that there are more.
  }, [watched.events, watched.count, at, wanted, kinds, step]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    getItemKey: (index) => events[index]?.seq ?? index,
    overscan: 20,
  });
  const live = record.ended === null;
  useEffect(() => {
    if (follows && live && events.length > 0) virtual.scrollToIndex(events.length - 1, { align: "end" });
  }, [follows, live, events.length, virtual]);
  const flip = (seq: number) => {
    const next = new Set(open);
    if (!next.delete(seq)) next.add(seq);
    setOpen(next);
  };
  const narrowed = find !== "" || groups.length > 0 || onlyStep;
  return (
    <div className={styles.whole}>
      <div className={styles.tools}>
        <TextInput
          size="xs"
          className={styles.find}
          aria-label="Find in the events"
          placeholder="Find in the events"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={find}
          onChange={(event) => change({ find: event.currentTarget.value || undefined }, { replace: true })}
        />
        <span className={styles.kinds} role="group" aria-label="Kinds of events">
          {GROUPS.map((group) => (
            <button
              key={group.id}
              type="button"
              className={styles.kind}
              aria-pressed={groups.includes(group.id)}
              onClick={() => {
                const next = groups.includes(group.id) ? groups.filter((each) => each !== group.id) : [...groups, group.id];
                change({ kind: next.length > 0 ? next : undefined }, { replace: true });
              }}
            >
              {group.label}
            </button>
          ))}
        </span>
        {chosen !== null && (
          <Switch
            size="xs"
            label="Only this step"
            checked={onlyStep}
            onChange={(event) => change({ of: event.currentTarget.checked ? "step" : undefined }, { replace: true })}
          />
        )}
        {live && (
          <Switch
            size="xs"
            label="Follow"
            checked={follows}
            onChange={(event) => change({ follow: event.currentTarget.checked ? undefined : "no" }, { replace: true })}
          />
        )}
        <span className={styles.count} role="status">
          {narrowed ? `${count(events.length)} of ${count(watched.count)}` : count(events.length)}
        </span>
      </div>
      {events.length === 0 ? (
        <div className={styles.none}>
          <p>No event matches.</p>
          <Button
            leftSection={<IconX size={14} />}
            onClick={() => change({ find: undefined, kind: undefined, of: undefined }, { replace: true })}
          >
            Clear the filters
          </Button>
        </div>
      ) : (
        <div
          ref={box}
          className={styles.scroll}
          tabIndex={0}
          role="region"
          aria-label="Events"
          onWheel={(event) => {
            if (follows && live && event.deltaY < 0) change({ follow: "no" }, { replace: true });
          }}
        >
          <div className={styles.all} style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map(({ index, start, key }) => {
              const event = events[index] as RunEvent;
              return (
                <div
                  key={key}
                  ref={virtual.measureElement}
                  data-index={index}
                  className={styles.item}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <Line event={event} open={open.has(event.seq)} onFlip={flip} onStep={choose} />
                </div>
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
}

interface LineProps {
  event: RunEvent;
  open: boolean;
  onFlip: (seq: number) => void;
  onStep: (path: string) => void;
}

function Line({ event, open, onFlip, onStep }: LineProps) {
  const { change } = useRunPage();
  return (
    <>
      <div className={styles.line} data-tone={toneOf(event) ?? undefined} data-type={event.type}>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={open}
          aria-label={`Event ${event.seq}: all of it`}
          onClick={() => onFlip(event.seq)}
        >
          <IconChevronRight size={14} aria-hidden />
        </button>
        <span className={styles.seq}>{event.seq}</span>
        <span className={styles.time}>
          <Moment at={new Date(event.ts).toISOString()} as="clock" />
        </span>
        <span className={styles.type}>{event.type.replaceAll("_", " ")}</span>
        {event.step_id === null ? (
          <span className={styles.path} />
        ) : (
          <button type="button" className={styles.path} title={oneLine(event.step_id)} onClick={() => onStep(event.step_id as string)}>
            {oneLine(event.step_id)}
          </button>
        )}
        <span className={styles.words}>
          <bdi>{oneLine(lineOf(event))}</bdi>
        </span>
      </div>
      {open && (
        <div className={styles.more}>
          <Button size="compact-xs" onClick={() => change({ at: String(event.seq) })}>
            Show the run as it stood here
          </Button>
          <JsonView value={event.data} label="Event" />
        </div>
      )}
    </>
  );
}
