/** Goes back in time: graph, variables and cost as they stood at any event. At its end the run is shown as it is now. */

import { ActionIcon, Button, Slider, Tooltip } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";

import { Moment } from "../../components/moment";
import { Money } from "../../components/money";
import { PlainText } from "../../components/plain-text";
import { count } from "../../model/money";
import { usd } from "../../model/run/record";
import { useRunPage } from "./run-page";
import styles from "./time-slider.module.css";

export function TimeSlider() {
  const { at, watched, record, change } = useRunPage();
  const last = watched.count;
  const [dragged, setDragged] = useState<number | null>(null);
  const value = dragged ?? at ?? last;
  const go = (next: number) => change({ at: next >= last ? undefined : String(Math.max(1, next)) }, { replace: true });
  const event = watched.events[value - 1];
  return (
    <div className={styles.bar} role="group" aria-label="Time">
      <Tooltip label="One event back (,)">
        <ActionIcon size={24} aria-label="One event back" disabled={value <= 1} onClick={() => go(value - 1)}>
          <IconChevronLeft size={16} />
        </ActionIcon>
      </Tooltip>
      <Slider
        className={styles.slider}
        size={4}
        min={1}
        max={Math.max(2, last)}
        value={value}
        label={null}
        thumbLabel="The event up to which the run is shown"
        onChange={(next) => {
          setDragged(next);
          go(next);
        }}
        onChangeEnd={() => setDragged(null)}
      />
      <Tooltip label="One event on (.)">
        <ActionIcon size={24} aria-label="One event on" disabled={value >= last} onClick={() => go(value + 1)}>
          <IconChevronRight size={16} />
        </ActionIcon>
      </Tooltip>
      <span className={styles.words}>
        <span className={styles.place}>
          {count(value)} / {count(last)}
        </span>
        {event && (
          <>
            <Moment at={new Date(event.ts).toISOString()} as="clock" />
            <span className={styles.type}>
              {event.type.replaceAll("_", " ")} {event.step_id && <PlainText text={event.step_id} />}
            </span>
          </>
        )}
      </span>
      <span className={styles.cost} title="Cost up to here">
        <Money usd={usd(record.used.nanos)} />
      </span>
      <Button size="compact-xs" disabled={at === null} onClick={() => change({ at: undefined }, { replace: true })}>
        {record.ended === null && at === null ? "Now" : "To the end"}
      </Button>
    </div>
  );
}
