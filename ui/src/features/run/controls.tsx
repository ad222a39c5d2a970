/** Steering the run: pause, resume, stop, run again; and what one takes away from it. */

import { ActionIcon, Button, Menu, Modal } from "@mantine/core";
import {
  IconArchive,
  IconArchiveOff,
  IconDots,
  IconDownload,
  IconFlask,
  IconLink,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
} from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { apiAddress } from "../../api/client";
import { command } from "../../api/run";
import { archiveRun, unarchiveRun } from "../../api/runs";
import { playgroundAddress, type Tried } from "../../app/addresses";
import { announce } from "../../app/announce";
import { useMay } from "../../app/session";
import { copyText } from "../../components/copy-button";
import { InlineTrouble } from "../../components/trouble";
import { isLive } from "../../model/status";
import styles from "./controls.module.css";
import { RunAgain } from "./run-again";
import { useRunPage } from "./run-page";

type Steering = { command: "pause" } | { command: "resume" } | { command: "stop"; mode: "graceful" | "immediate" };

const SAID: Record<string, string> = { pause: "Paused", resume: "Goes on", stop: "Stopping" };

export function Controls() {
  const { run, latest } = useRunPage();
  const mayRun = useMay("workflow:run");
  const [asking, setAsking] = useState<"stop" | "again" | null>(null);
  const steer = useMutation({
    mutationFn: (wanted: Steering) => {
      const params = wanted.command === "stop" ? { mode: wanted.mode } : {};
      return command(run.workflow.id, { command: wanted.command, run_id: run.id, params } as never);
    },
    onSuccess: (_, wanted) => {
      setAsking(null);
      announce(SAID[wanted.command] ?? "Done");
    },
  });
  const live = isLive(latest.status);
  const paused = latest.status === "paused";
  return (
    <div className={styles.controls}>
      {mayRun && live && latest.status !== "draining" && (
        <Button
          leftSection={paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />}
          loading={steer.isPending && steer.variables.command !== "stop"}
          onClick={() => steer.mutate({ command: paused ? "resume" : "pause" })}
        >
          {paused ? "Resume" : "Pause"}
        </Button>
      )}
      {mayRun && live && (
        <Button leftSection={<IconPlayerStop size={14} />} onClick={() => setAsking("stop")}>
          Stop
        </Button>
      )}
      {mayRun && (
        <Button leftSection={<IconRefresh size={14} />} onClick={() => setAsking("again")}>
          Run again
        </Button>
      )}
      <Button leftSection={<IconLink size={14} />} onClick={() => void shareLink()}>
        Copy link
      </Button>
      <More live={live} mayRun={mayRun} />
      {asking !== "stop" && steer.error && (
        <div className={styles.trouble}>
          <InlineTrouble error={steer.error} />
        </div>
      )}
      <Modal opened={asking === "stop"} onClose={() => setAsking(null)} title="Stop this run?">
        <p className={styles.text}>
          Gracefully, steps in flight may end first; at once, tool calls are cancelled and model calls as far as possible. A stopped run
          does not go on again.
        </p>
        <InlineTrouble error={steer.error} />
        <div className={styles.buttons}>
          <Button onClick={() => setAsking(null)}>Cancel</Button>
          <Button loading={steer.isPending} onClick={() => steer.mutate({ command: "stop", mode: "graceful" })}>
            Stop gracefully
          </Button>
          <Button
            variant="filled"
            color="red"
            loading={steer.isPending}
            onClick={() => steer.mutate({ command: "stop", mode: "immediate" })}
          >
            Stop at once
          </Button>
        </div>
      </Modal>
      {asking === "again" && <RunAgain onClose={() => setAsking(null)} />}
    </div>
  );
}

/** The whole choice is in the address: the step, the tab, the moment. */
async function shareLink(): Promise<void> {
  const done = await copyText(window.location.href);
  announce(done ? "Link copied" : "The link could not be copied");
}

function More({ live, mayRun }: { live: boolean; mayRun: boolean }) {
  const { run, source, latest } = useRunPage();
  const { archived } = latest;
  const navigate = useNavigate();
  const tryIt = (tried: Tried) => {
    const { to, search } = playgroundAddress(tried);
    void navigate({ to, search: search as never });
  };
  const archive = useMutation({
    mutationFn: () => (archived ? unarchiveRun(run.id) : archiveRun(run.id)),
    onSuccess: () => source.more(),
  });
  return (
    <Menu position="bottom-end" offset={4}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="More">
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayRun && (
          <>
            <Menu.Item leftSection={<IconFlask size={14} />} onClick={() => tryIt({ run: run.id })}>
              Try in playground
            </Menu.Item>
            <Menu.Item leftSection={<IconFlask size={14} />} onClick={() => tryIt({ run: run.id, take: "input" })}>
              Try input in playground
            </Menu.Item>
          </>
        )}
        <Menu.Item
          component="a"
          download
          href={apiAddress(`/v1/runs/${encodeURIComponent(run.id)}/export`)}
          leftSection={<IconDownload size={14} />}
        >
          Download the whole run (JSON)
        </Menu.Item>
        {mayRun && !live && (
          <Menu.Item leftSection={archived ? <IconArchiveOff size={14} /> : <IconArchive size={14} />} onClick={() => archive.mutate()}>
            {archived ? "Unarchive" : "Archive"}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
