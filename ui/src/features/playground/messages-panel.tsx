/** The messages of a prompt, as the model saw them, to be changed. Instructions stand with the variants. */

import { Textarea } from "@mantine/core";

import type { TriedCall } from "../../api/playground";
import { JsonView } from "../../components/json-view";
import { plural } from "../../model/money";
import type { Message } from "../../model/playground";
import styles from "./bench.module.css";

interface Props {
  call: TriedCall;
  messages: Message[];
  onChange: (messages: Message[]) => void;
}

const ROLES: Record<string, string> = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" };

export function MessagesPanel({ call, messages, onChange }: Props) {
  const system = messages.findIndex((message) => message.role === "system" && typeof message.content === "string");
  const more = [call.tools.length > 0 ? plural(call.tools.length, "tool") : null, call.output_schema ? "an output schema" : null].filter(
    Boolean,
  );
  return (
    <>
      {messages.map((message, at) =>
        at === system ? null : (
          <div key={at} className={styles.message}>
            {typeof message.content === "string" && !message["tool_calls"] ? (
              <Textarea
                label={`${ROLES[message.role] ?? message.role} message`}
                autosize
                minRows={3}
                maxRows={18}
                value={message.content}
                onChange={(event) => {
                  const content = event.currentTarget.value;
                  onChange(messages.map((each, index) => (index === at ? { ...each, content } : each)));
                }}
              />
            ) : (
              <>
                <span className={styles.role}>{ROLES[message.role] ?? message.role} message</span>
                <div className={styles.kept}>
                  <JsonView value={message} open={1} label="Message" />
                </div>
              </>
            )}
          </div>
        ),
      )}
      {more.length > 0 && <p className={styles.role}>Every variant has {more.join(" and ")} as well, as the call had.</p>}
    </>
  );
}
