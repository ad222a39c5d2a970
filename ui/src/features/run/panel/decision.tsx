/** What a person must decide, in place: what is asked, with which data, which may be edited; approve or reject, with a reason. */

import { Button, Textarea } from "@mantine/core";
import { IconCheck, IconUserCheck, IconX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState, type KeyboardEvent } from "react";

import { completeTask } from "../../../api/run";
import { announce } from "../../../app/announce";
import { useMay } from "../../../app/session";
import { JsonView } from "../../../components/json-view";
import { Moment } from "../../../components/moment";
import { PlainText, TextBlock } from "../../../components/plain-text";
import { InlineTrouble } from "../../../components/trouble";
import { editsOf, readJson } from "../../../model/run/json-text";
import type { Task } from "../../../model/run/record";
import { useRunPage } from "../run-page";
import styles from "./decision.module.css";

export function Decision({ id }: { id: string }) {
  const { record, at } = useRunPage();
  const task = record.tasks.get(id);
  if (!task) return null;
  return (
    <section className={styles.task} aria-label="Decision" data-decided={task.decided !== null || undefined}>
      <h3 className={styles.title}>
        <IconUserCheck size={16} aria-hidden />
        <PlainText text={task.title} />
      </h3>
      {task.description && <TextBlock text={task.description} limit={2_000} />}
      {task.decided ? (
        <Decided task={task} />
      ) : at === null ? (
        <Form task={task} />
      ) : (
        <p className={styles.quiet}>It waits for a decision.</p>
      )}
    </section>
  );
}

function Decided({ task }: { task: Task }) {
  const { decided } = task;
  if (!decided) return null;
  const word = decided.approved ? "Approved" : decided.expired ? "Nobody decided in time" : "Rejected";
  return (
    <>
      <p className={styles.quiet}>
        {decided.approved ? <IconCheck size={14} aria-hidden /> : <IconX size={14} aria-hidden />} {word}
        {decided.by && (
          <>
            {" by "}
            <PlainText text={decided.by} />
          </>
        )}
        {", "}
        <Moment at={new Date(decided.at).toISOString()} />
        {decided.comment && (
          <>
            {": "}
            <PlainText text={decided.comment} />
          </>
        )}
      </p>
      {decided.result !== null && <JsonView value={decided.result} label="Edits" />}
    </>
  );
}

function Form({ task }: { task: Task }) {
  const { run, latest } = useRunPage();
  const may = useMay("task:complete");
  const editable = typeof task.payload === "object" && task.payload !== null && !Array.isArray(task.payload);
  const [text, setText] = useState(() => JSON.stringify(task.payload ?? {}, null, 2));
  const [comment, setComment] = useState("");
  const read = readJson(text);
  const fault = editable && "fault" in read ? read.fault : undefined;
  const decide = useMutation({
    mutationFn: (approved: boolean) => {
      const result = approved && editable && "value" in read ? editsOf(task.payload, read.value) : null;
      return completeTask(run.id, task.id, { approved, comment: comment.trim() || null, result: result as never });
    },
    onSuccess: (_, approved) => announce(approved ? "Approved" : "Rejected"),
  });
  if (!may) return <p className={styles.quiet}>You may not decide this.</p>;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !fault) decide.mutate(true);
  };
  const busy = decide.isPending || decide.isSuccess;
  return (
    <div onKeyDown={onKeyDown} className={styles.form}>
      {editable ? (
        <Textarea
          size="xs"
          className={styles.area}
          label="What is proposed; you may edit it"
          autosize
          minRows={2}
          maxRows={14}
          spellCheck={false}
          value={text}
          error={fault}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      ) : (
        task.payload !== undefined && <JsonView value={task.payload} label="What is proposed" />
      )}
      <Textarea
        size="xs"
        label="Reason (optional)"
        autosize
        minRows={1}
        maxRows={6}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <InlineTrouble error={decide.error} />
      <div className={styles.buttons}>
        <Button
          data-decide
          variant="filled"
          leftSection={<IconCheck size={14} />}
          disabled={fault !== undefined}
          loading={busy && decide.variables}
          onClick={() => decide.mutate(true)}
        >
          Approve
        </Button>
        <Button
          leftSection={<IconX size={14} />}
          color="red"
          variant="light"
          loading={busy && !decide.variables}
          onClick={() => decide.mutate(false)}
        >
          Reject
        </Button>
        {task.expiresAt !== null && latest.ended === null && (
          <span className={styles.quiet}>
            Expires <Moment at={new Date(task.expiresAt).toISOString()} as="ago" />
          </span>
        )}
      </div>
    </div>
  );
}
