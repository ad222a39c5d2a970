/** What is done to the selected runs: stop, archive, export; with a tally while it is done. */

import { Anchor, Button, CloseButton, Menu, Modal, Progress } from "@mantine/core";
import { IconArchive, IconArchiveOff, IconDownload, IconPlayerStop } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { Problem } from "../../api/problem";
import { archiveRun, runKeys, stopRun, unarchiveRun, type RunScope, type RunSummary } from "../../api/runs";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { runBulk, type Tally } from "../../model/bulk";
import { count, plural } from "../../model/money";
import type { RunChoices } from "../../model/run-choices";
import { NONE, sizeOf, type Selection } from "../../model/selection";
import { canStop, isLive } from "../../model/status";
import styles from "./bulk-bar.module.css";
import { exportAddress, FORMATS } from "./export-address";
import { selectedRuns } from "./selected-runs";

interface Props {
  scope: RunScope;
  choices: RunChoices;
  rows: readonly RunSummary[];
  total: number | undefined;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  onDone: () => void;
}

interface Action {
  name: "stop" | "archive" | "unarchive";
  doing: string;
  applies: (run: RunSummary) => boolean;
  act: (run: RunSummary) => Promise<unknown>;
}

const ARCHIVE: Action = {
  name: "archive",
  doing: "Archiving",
  applies: (run) => !isLive(run.status) && !run.archived_at,
  act: (run) => archiveRun(run.id),
};
const UNARCHIVE: Action = {
  name: "unarchive",
  doing: "Taking out of the archive",
  applies: (run) => Boolean(run.archived_at),
  act: (run) => unarchiveRun(run.id),
};
const stopping = (mode: "immediate" | "graceful"): Action => ({
  name: "stop",
  doing: "Stopping",
  applies: (run) => canStop(run.status),
  act: (run) => stopRun(run, mode),
});

export function BulkBar({ scope, choices, rows, total, selection, onSelect, onDone }: Props) {
  const mayRun = useMay("workflow:run");
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [tally, setTally] = useState<(Tally & { doing: string; isOver: boolean }) | null>(null);
  const stop = useRef<AbortController | null>(null);
  const size = sizeOf(selection, total);
  const all = selection.kind === "some" && total !== undefined && total > selection.ids.size;

  const perform = async (action: Action) => {
    setAsking(false);
    const { doing, applies, act } = action;
    stop.current = new AbortController();
    setTally({ doing, done: 0, skipped: 0, failed: 0, of: size, firstFailure: null, isOver: false });
    const items = selectedRuns(scope, choices, rows, selection);
    try {
      const last = await runBulk({
        items,
        applies,
        act,
        again: (error) => (error instanceof Problem && error.status === 429 ? 1000 * (error.retryAfter ?? 1) : null),
        of: size,
        stopped: stop.current.signal,
        onTally: (now) => setTally({ ...now, doing, isOver: false }),
      });
      setTally({ ...last, doing, isOver: true });
      announce(tallyWords({ ...last, doing, isOver: true }));
    } catch (error) {
      setTally(
        (now) => now && { ...now, failed: now.failed + 1, firstFailure: error instanceof Error ? error.message : null, isOver: true },
      );
    }
    void client.invalidateQueries({ queryKey: runKeys.all, refetchType: "none" });
    onDone();
  };

  if (tally) {
    const close = () => {
      setTally(null);
      onSelect(NONE);
    };
    return <TallyBar tally={tally} onStop={() => stop.current?.abort()} onClose={close} />;
  }
  return (
    <div className={styles.bar} role="region" aria-label="Selected runs">
      <span className={styles.size}>{size === null ? "All selected" : `${plural(size, "run")} selected`}</span>
      {all && (
        <Anchor component="button" type="button" fz={13} onClick={() => onSelect({ kind: "all", except: new Set() })}>
          Select all {count(total)} that match
        </Anchor>
      )}
      {selection.kind === "all" && selection.except.size > 0 && (
        <span className={styles.quiet}>all but {count(selection.except.size)}</span>
      )}
      <span className={styles.actions}>
        {mayRun && (
          <Button leftSection={<IconPlayerStop size={14} />} onClick={() => setAsking(true)}>
            Stop
          </Button>
        )}
        {mayRun && choices.archived !== "only" && (
          <Button leftSection={<IconArchive size={14} />} onClick={() => void perform(ARCHIVE)}>
            Archive
          </Button>
        )}
        {mayRun && choices.archived !== "false" && (
          <Button leftSection={<IconArchiveOff size={14} />} onClick={() => void perform(UNARCHIVE)}>
            Unarchive
          </Button>
        )}
        <ExportMenu scope={scope} choices={choices} selection={selection} />
        <CloseButton aria-label="Select nothing" onClick={() => onSelect(NONE)} />
      </span>
      <Modal opened={asking} onClose={() => setAsking(false)} title={size === null ? "Stop these runs?" : `Stop ${plural(size, "run")}?`}>
        <p className={styles.words}>
          Runs that have ended stay as they are. Gracefully, steps in flight may end first; at once, tool calls are cancelled and model
          calls as far as possible. A stopped run does not go on again.
        </p>
        <div className={styles.buttons}>
          <Button onClick={() => setAsking(false)}>Cancel</Button>
          <Button onClick={() => void perform(stopping("graceful"))}>Stop gracefully</Button>
          <Button variant="filled" color="red" onClick={() => void perform(stopping("immediate"))}>
            Stop at once
          </Button>
        </div>
      </Modal>
    </div>
  );
}

function ExportMenu({ scope, choices, selection }: { scope: RunScope; choices: RunChoices; selection: Selection }) {
  const first = exportAddress(scope, choices, selection, "jsonl");
  if (first === null) {
    return (
      <Button
        leftSection={<IconDownload size={14} />}
        disabled
        title="One file takes up to 100 runs that were selected one by one, or all that match"
      >
        Export
      </Button>
    );
  }
  return (
    <Menu position="top-end" offset={4}>
      <Menu.Target>
        <Button leftSection={<IconDownload size={14} />}>Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ format, label }) => (
          <Menu.Item key={format} component="a" href={exportAddress(scope, choices, selection, format) ?? ""} download>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

type Shown = Tally & { doing: string; isOver: boolean };

function TallyBar({ tally, onStop, onClose }: { tally: Shown; onStop: () => void; onClose: () => void }) {
  const seen = tally.done + tally.skipped + tally.failed;
  return (
    <div className={styles.bar} role="region" aria-label="Progress">
      <div className={styles.tally}>
        <span>{tallyWords(tally)}</span>
        {tally.firstFailure && <span className={styles.failure}>{tally.firstFailure}</span>}
        {!tally.isOver && tally.of !== null && <Progress size="xs" value={(100 * seen) / Math.max(1, tally.of)} aria-label="Progress" />}
      </div>
      <span className={styles.actions}>
        {tally.isOver ? <Button onClick={onClose}>Done</Button> : <Button onClick={onStop}>Stop here</Button>}
      </span>
    </div>
  );
}

function tallyWords(tally: Shown): string {
  const seen = tally.done + tally.skipped + tally.failed;
  const parts = [
    tally.isOver
      ? `${tally.doing}: ${count(tally.done)} done`
      : `${tally.doing} ${count(seen)}${tally.of === null ? "" : ` of ${count(tally.of)}`}`,
    tally.skipped > 0 && `${count(tally.skipped)} left alone`,
    tally.failed > 0 && `${count(tally.failed)} failed`,
  ];
  return parts.filter(Boolean).join(" · ");
}
