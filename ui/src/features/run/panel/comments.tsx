/** What people wrote about the run. A comment is one of the run's events, whatever its status. */

import { Button, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { addComment } from "../../../api/run";
import { announce } from "../../../app/announce";
import { useMay } from "../../../app/session";
import { Moment } from "../../../components/moment";
import { PlainText, TextBlock } from "../../../components/plain-text";
import { InlineTrouble } from "../../../components/trouble";
import { isLive } from "../../../model/status";
import { useRunPage } from "../run-page";
import styles from "./about.module.css";
import panel from "./panel.module.css";

export function Comments() {
  const { run, latest, source } = useRunPage();
  const mayRun = useMay("workflow:run");
  const [text, setText] = useState("");
  const say = useMutation({
    mutationFn: () => addComment(run.id, text.trim()),
    onSuccess: async () => {
      setText("");
      announce("The comment was added");
      if (!isLive(latest.status)) await source.more();
    },
  });
  return (
    <section className={panel.part}>
      <h3>Comments</h3>
      <ul className={styles.comments}>
        {latest.comments.map((comment) => (
          <li key={comment.id}>
            <p>
              <PlainText text={comment.by ?? "somebody"} />, <Moment at={new Date(comment.at).toISOString()} />
            </p>
            <TextBlock text={comment.content} limit={4_000} />
          </li>
        ))}
      </ul>
      {mayRun && (
        <form
          className={styles.say}
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) say.mutate();
          }}
        >
          <Textarea
            size="xs"
            aria-label="A comment"
            placeholder="Say something about this run"
            autosize
            minRows={2}
            maxRows={10}
            maxLength={10_000}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <InlineTrouble error={say.error} />
          <Button type="submit" disabled={text.trim() === ""} loading={say.isPending}>
            Comment
          </Button>
        </form>
      )}
    </section>
  );
}
