/** Starts a new run with the same input, or an edited one. What has ended is never changed. */

import { Button, Checkbox, Modal, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { command } from "../../api/run";
import { agentRunAddress, runAddress } from "../../app/addresses";
import { InlineTrouble } from "../../components/trouble";
import { readJson } from "../../model/run/json-text";
import styles from "./controls.module.css";
import { useRunPage } from "./run-page";

export function RunAgain({ onClose }: { onClose: () => void }) {
  const { run, latest } = useRunPage();
  const navigate = useNavigate();
  const { origin } = latest;
  const [text, setText] = useState(() => JSON.stringify(latest.input ?? null, null, 2));
  const [newest, setNewest] = useState(false);
  const [fresh, setFresh] = useState(true);
  const read = readJson(text);
  const start = useMutation({
    mutationFn: (input: unknown) =>
      command(run.workflow.id, {
        command: "start",
        ...(newest ? {} : { version: run.workflow.version }),
        params: {
          input,
          tags: origin?.tags ?? [],
          metadata: origin?.metadata ?? {},
          environment: origin?.environment ?? "production",
          use_cache: fresh ? "never" : "auto",
        },
      }),
    onSuccess: ({ run_id }) => {
      onClose();
      const agent = /\/agents\/[^/]+\/runs\//.test(window.location.pathname);
      void navigate({ to: (agent ? agentRunAddress(run.workflow.slug, run_id) : runAddress(run_id)).to });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Run again" size={560}>
      <p className={styles.text}>This starts a new run. The one that you look at stays as it is.</p>
      <Textarea
        className={styles.area}
        label="Input (JSON)"
        autosize
        minRows={4}
        maxRows={18}
        spellCheck={false}
        data-autofocus
        value={text}
        error={"fault" in read ? read.fault : undefined}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Checkbox
        mt={12}
        label={`With the newest version instead of version ${run.workflow.version}`}
        checked={newest}
        onChange={(event) => setNewest(event.currentTarget.checked)}
      />
      <Checkbox
        mt={8}
        mb={12}
        label="Take nothing from the cache"
        checked={fresh}
        onChange={(event) => setFresh(event.currentTarget.checked)}
      />
      <InlineTrouble error={start.error} />
      <div className={styles.buttons}>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          variant="filled"
          disabled={"fault" in read}
          loading={start.isPending}
          onClick={() => "value" in read && start.mutate(read.value)}
        >
          Start the run
        </Button>
      </div>
    </Modal>
  );
}
