/** A model call exactly as it was sent and answered: messages, then the bodies as they went over the wire; to copy and send again. */

import { Button, Menu, NativeSelect, SegmentedControl, Skeleton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { generationQuery, type WholeGeneration } from "../../../api/run";
import { announce } from "../../../app/announce";
import { playgroundAddress } from "../../../app/addresses";
import { copyText } from "../../../components/copy-button";
import { JsonView } from "../../../components/json-view";
import { Money } from "../../../components/money";
import { PageLink } from "../../../components/page-link";
import { TextBlock } from "../../../components/plain-text";
import { InlineTrouble } from "../../../components/trouble";
import { oneLine } from "../../../model/safe-text";
import { count } from "../../../model/money";
import type { Step } from "../../../model/run/record";
import { asCurl, asPython } from "../../../model/run/snippet";
import { firstOf } from "../../../model/search-values";
import { duration } from "../../../model/time";
import { useRunPage } from "../run-page";
import { ErrorBox } from "./input-output";
import panel from "./panel.module.css";
import styles from "./prompt.module.css";

export function Prompt({ step }: { step: Step }) {
  const { run, values, change } = useRunPage();
  const wanted = Number(firstOf(values["call"]));
  const round = step.rounds.find((each) => each.seq === wanted) ?? step.rounds.at(-1);
  const [form, setForm] = useState("messages");
  const { data, error, refetch } = useQuery({ ...generationQuery(run.id, round?.seq ?? 0), enabled: round !== undefined });
  if (!round) return <p className={panel.none}>No model was called.</p>;
  return (
    <>
      <div className={styles.tools}>
        {step.rounds.length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Which model call"
            value={String(round.seq)}
            onChange={(event) => change({ call: event.currentTarget.value, step: step.path, panel: "prompt" })}
            data={step.rounds.map((each) => ({
              value: String(each.seq),
              label: `Call ${each.number}${each.ok ? "" : ", failed"}`,
            }))}
          />
        )}
        <SegmentedControl
          size="xs"
          aria-label="How the call is shown"
          value={form}
          onChange={setForm}
          data={[
            { value: "messages", label: "Messages" },
            { value: "raw", label: "Raw" },
          ]}
        />
        <PageLink className={styles.link} address={playgroundAddress({ run: run.id, step: step.path })}>
          Try in playground
        </PageLink>
        {data && <CopyAs generation={data} />}
      </div>
      <InlineTrouble error={error} onRetry={() => void refetch()} />
      {!data ? !error && <Skeleton height={160} /> : <Call generation={data} raw={form === "raw"} />}
    </>
  );
}

function Call({ generation, raw }: { generation: WholeGeneration; raw: boolean }) {
  const { usage } = generation;
  return (
    <>
      <p className={styles.about}>
        {generation.provider}:{generation.model}
        {generation.response_model && generation.response_model !== generation.model && `, answered by ${generation.response_model}`} ·{" "}
        {duration(generation.latency_ms)}
        {generation.first_token_ms !== null && `, first token after ${duration(generation.first_token_ms)}`} ·{" "}
        {count(usage.input_tokens ?? 0)} in, {count(usage.output_tokens ?? 0)} out · <Money usd={generation.cost_usd} />
      </p>
      {generation.error && <ErrorBox error={generation.error} />}
      {raw ? <RawBodies generation={generation} /> : <Messages generation={generation} />}
    </>
  );
}

function Messages({ generation }: { generation: WholeGeneration }) {
  const { messages, response, tools, params } = generation;
  return (
    <>
      {(messages ?? []).map((message, index) => (
        <Message key={index} message={message} />
      ))}
      <div className={styles.message} data-role="answer">
        <h3>Answer</h3>
        {generation.thought && <TextBlock text={generation.thought} />}
        {typeof response === "string" ? response && <TextBlock text={response} /> : <JsonView value={response ?? null} label="Answer" />}
        {generation.tool_calls && generation.tool_calls.length > 0 && (
          <JsonView value={generation.tool_calls} label="Tool calls" open={3} />
        )}
      </div>
      {tools && tools.length > 0 && (
        <section className={panel.part}>
          <h3>Tools that were offered</h3>
          <JsonView value={tools} label="Tools" open={1} />
        </section>
      )}
      {params && (
        <section className={panel.part}>
          <h3>Parameters</h3>
          <JsonView value={params} label="Parameters" />
        </section>
      )}
    </>
  );
}

function Message({ message }: { message: Record<string, unknown> }) {
  const { role, content, tool_call_id: answers, ...rest } = message;
  return (
    <div className={styles.message} data-role={String(role)}>
      <h3>
        {String(role)}
        {typeof answers === "string" && <span className={styles.answers}> answers {oneLine(answers)}</span>}
      </h3>
      {typeof content === "string" ? content && <TextBlock text={content} /> : <JsonView value={content ?? null} label="Content" />}
      {Object.keys(rest).length > 0 && <JsonView value={rest} label="More" open={1} />}
    </div>
  );
}

function RawBodies({ generation }: { generation: WholeGeneration }) {
  const { raw_request: request, raw_response: response } = generation;
  if (!request && !response) return <p className={panel.none}>Nothing went over the wire: this model answers by itself.</p>;
  return (
    <>
      <Body title="Request, as it was sent" body={request} />
      <Body title="Response, as it came" body={response} />
    </>
  );
}

function Body({ title, body }: { title: string; body: WholeGeneration["raw_request"] }) {
  if (!body) return null;
  return (
    <section className={panel.part}>
      <h3>
        {title}
        {body.status != null && ` · ${body.status}`} · {count(body.bytes)} bytes{body.truncated && ", its beginning"}
        {body.cut && ", the connection broke"}
      </h3>
      {body.url && <code className={styles.url}>{body.url}</code>}
      <JsonView value={parsed(body)} label={title} open={3} />
    </section>
  );
}

function parsed(body: { text: string; encoding?: string }): unknown {
  try {
    return body.encoding === "base64" ? body.text : JSON.parse(body.text);
  } catch {
    return body.text; // a stream, or a body that was cut
  }
}

function CopyAs({ generation }: { generation: WholeGeneration }) {
  const [copied, setCopied] = useState(false);
  const { raw_request: sent, provider } = generation;
  if (!sent || sent.encoding === "base64" || sent.truncated) return null;
  const copy = async (text: string) => {
    setCopied(await copyText(text));
    announce("Copied");
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <Menu position="bottom-end" offset={4}>
      <Menu.Target>
        <Button size="compact-sm" fz={12} leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}>
          Copy as
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void copy(asCurl(provider, sent))}>curl</Menu.Item>
        <Menu.Item onClick={() => void copy(asPython(provider, sent))}>Python</Menu.Item>
        <Menu.Item onClick={() => void copy(sent.text)}>Body (JSON)</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
