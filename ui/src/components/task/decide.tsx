/** Approving, rejecting, or changing what was proposed and then approving it. Enter decides, Escape leaves it. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState, type FormEvent, type KeyboardEvent } from "react";

import { decide, taskKeys, type Task, type TaskPage } from "../../api/tasks";
import { runKeys } from "../../api/runs";
import { announce } from "../../app/announce";
import { InlineTrouble } from "../trouble";
import { draftsOf, editableOf, fieldsOf, readEdit } from "../../model/task-form";
import { EditForm } from "./edit-form";
import type { Doing } from "./task-card";
import styles from "./task-card.module.css";

interface Props {
  task: Task;
  doing: Doing;
  onCancel: () => void;
  onDone: () => void;
}

export function Decide({ task, doing, onCancel, onDone }: Props) {
  const client = useQueryClient();
  const editable = useMemo(() => editableOf(task.payload, task.result_schema), [task.payload, task.result_schema]);
  const fields = useMemo(() => fieldsOf(editable, task.result_schema), [editable, task.result_schema]);
  const [drafts, setDrafts] = useState(() => draftsOf(fields, editable));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [reason, setReason] = useState("");
  const approved = doing !== "reject";
  const sent = useMutation({
    mutationFn: decide,
    onSuccess: () => {
      client.setQueryData<TaskPage>(taskKeys.pending, (page) => page && { ...page, data: page.data.filter(({ id }) => id !== task.id) });
      void client.invalidateQueries({ queryKey: taskKeys.all });
      void client.invalidateQueries({ queryKey: [...runKeys.all, "attention"] });
      announce(approved ? `Approved: ${task.title}` : `Rejected: ${task.title}`);
      onDone();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const edit = doing === "edit" ? readEdit(fields, drafts, editable) : { result: null, faults: {} };
    setFaults(edit.faults);
    if (Object.keys(edit.faults).length > 0 || sent.isPending) return;
    sent.mutate({ task: task.id, approved, result: edit.result ?? undefined, comment: reason.trim() || undefined });
  };
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.stopPropagation();
    onCancel();
  };
  return (
    <form className={styles.decide} onSubmit={submit} onKeyDown={leave} aria-label={approved ? "Approve" : "Reject"}>
      {doing === "edit" && (
        <EditForm fields={fields} drafts={drafts} faults={faults} onChange={(key, value) => setDrafts({ ...drafts, [key]: value })} />
      )}
      <TextInput
        label={approved ? "Reason (optional)" : "Why not? (optional)"}
        description="It is kept with the run, and the run's next steps can read it."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        data-autofocus={doing !== "edit" || undefined}
        autoFocus={doing !== "edit"}
        maxLength={4_000}
      />
      <InlineTrouble error={sent.error} />
      <div className={styles.end}>
        <Button type="submit" variant="filled" color={approved ? undefined : "red"} loading={sent.isPending}>
          {doing === "edit" ? "Approve with these values" : approved ? "Approve" : "Reject"}
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
