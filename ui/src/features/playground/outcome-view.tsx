/** What came of a variant: its answer as it is written, then time, cost and tokens, and what can be kept of it. */

import { Button } from "@mantine/core";
import { IconAlertTriangle, IconBolt, IconCoin, IconGitCommit, IconListCheck, IconTool } from "@tabler/icons-react";
import { useState } from "react";

import { useMay } from "../../app/session";
import { CopyButton } from "../../components/copy-button";
import { WordDiff } from "../../components/diff-text";
import { Duration } from "../../components/duration";
import { JsonView } from "../../components/json-view";
import { Money } from "../../components/money";
import { PlainText, TextBlock } from "../../components/plain-text";
import { compact } from "../../model/money";
import { isChanged, type Outcome, type VariantDraft } from "../../model/playground";
import { TEXT_LIMIT } from "../../model/safe-text";
import { isRecord } from "../../model/schema-fields";
import { sentence } from "../../model/sentence";
import styles from "./outcome-view.module.css";
import { SaveTest } from "./save-test";
import { SaveVersion } from "./save-version";
import type { Known } from "./variant-card";

interface Props {
  name: string;
  variant: VariantDraft;
  at: number;
  /** The step that is changed, where there are several. */
  step?: string;
  known: Known;
  outcome: Outcome | undefined;
  since: string | null;
  /** The text that the answer is compared with. */
  before: string | null;
  isQuickest: boolean;
  isCheapest: boolean;
  input: unknown;
}

export function OutcomeView(props: Props) {
  const { name, variant, at, step, known, outcome, since, before, isQuickest, isCheapest, input } = props;
  const [saving, setSaving] = useState<"version" | "test" | null>(null);
  const mayWrite = useMay("workflow:write");
  const canKeep = known.workflow !== null && isChanged(variant) && mayWrite;
  const canTest = outcome?.kind === "done" && known.workflow !== null && mayWrite;
  return (
    <section
      className={styles.outcome}
      aria-label={`Answer of ${name}`}
      aria-busy={outcome?.kind === "waiting" || outcome?.kind === "writing"}
    >
      <div className={styles.figures}>
        <span className={styles.title}>Answer</span>
        {outcome && <Figures outcome={outcome} since={since} isQuickest={isQuickest} isCheapest={isCheapest} />}
      </div>
      <div className={styles.body}>
        <Body outcome={outcome} before={before} />
      </div>
      {(canKeep || canTest) && (
        <footer className={styles.foot}>
          {canKeep && (
            <Button size="compact-xs" leftSection={<IconGitCommit size={14} />} onClick={() => setSaving("version")}>
              Save as version
            </Button>
          )}
          {canTest && (
            <Button size="compact-xs" leftSection={<IconListCheck size={14} />} onClick={() => setSaving("test")}>
              Save as test
            </Button>
          )}
        </footer>
      )}
      {saving === "version" && known.workflow && (
        <SaveVersion workflow={known.workflow} variant={variant} at={at} step={step} onClose={() => setSaving(null)} />
      )}
      {saving === "test" && outcome?.kind === "done" && (
        <SaveTest name={known.workflow?.slug ?? "playground"} input={input} output={outcome.output} onClose={() => setSaving(null)} />
      )}
    </section>
  );
}

function Figures({
  outcome,
  since,
  isQuickest,
  isCheapest,
}: {
  outcome: Outcome;
  since: string | null;
  isQuickest: boolean;
  isCheapest: boolean;
}) {
  if (outcome.kind === "waiting" || outcome.kind === "writing") {
    return (
      <span className={styles.figure}>
        <Duration since={since} />
      </span>
    );
  }
  if (outcome.kind === "ended") return null;
  return (
    <>
      <span className={styles.figure} data-best={isQuickest || undefined} title={firstToken(outcome.first_token_ms)}>
        {isQuickest && <IconBolt size={12} aria-label="Quickest" />}
        <Duration ms={outcome.latency_ms} />
      </span>
      <span className={styles.figure} data-best={isCheapest || undefined}>
        {isCheapest && <IconCoin size={12} aria-label="Cheapest" />}
        <Money usd={outcome.cost_usd} />
      </span>
      <span className={styles.figure} title={`${outcome.input_tokens} tokens in, ${outcome.output_tokens} out`}>
        {compact(outcome.input_tokens + outcome.output_tokens)} tokens
      </span>
    </>
  );
}

function firstToken(ms: number | null): string | undefined {
  return ms === null ? undefined : `First token after ${Math.round(ms)} ms`;
}

function Body({ outcome, before }: { outcome: Outcome | undefined; before: string | null }) {
  if (!outcome) return <p className={styles.quiet}>Nothing yet. The answer is written here.</p>;
  if (outcome.kind === "waiting") return <p className={styles.quiet}>Waits for the model…</p>;
  if (outcome.kind === "failed") {
    return (
      <>
        <div className={styles.failed} role="alert">
          <IconAlertTriangle size={16} aria-hidden />
          <div>
            <code>{outcome.code}</code>
            <div>
              <PlainText text={sentence(outcome.message)} />
            </div>
          </div>
        </div>
        {outcome.text && <TextBlock text={outcome.text} />}
      </>
    );
  }
  if (outcome.kind === "ended") {
    return (
      <>
        {outcome.text && (
          <p className={styles.text}>
            <PlainText text={outcome.text} />
          </p>
        )}
        <p className={styles.quiet}>Stopped.</p>
      </>
    );
  }
  if (outcome.kind === "writing") {
    return (
      <p className={styles.text}>
        <PlainText text={outcome.text} />
        <span className={styles.caret} aria-hidden />
      </p>
    );
  }
  return (
    <>
      {before !== null ? <WordDiff before={before} after={outcome.text} /> : <Answer output={outcome.output} />}
      {outcome.toolCalls.map((call, index) => (
        <ToolCall key={index} call={call} />
      ))}
      {outcome.finishReason && !["stop", "tool_call"].includes(outcome.finishReason) && (
        <p className={styles.quiet}>Ended because of {outcome.finishReason}.</p>
      )}
    </>
  );
}

function Answer({ output }: { output: unknown }) {
  if (typeof output !== "string") return <JsonView value={output} open={3} label="Answer" />;
  if (output === "") return null;
  if (output.length > TEXT_LIMIT) return <JsonView value={output} label="Answer" />;
  return (
    <div className={styles.answer}>
      <div className={styles.text}>
        <PlainText text={output} />
      </div>
      <CopyButton value={output} label="Copy the answer" />
    </div>
  );
}

function ToolCall({ call }: { call: unknown }) {
  const of = isRecord(call) ? call : {};
  return (
    <div className={styles.call}>
      <div className={styles.callName}>
        <IconTool size={14} aria-hidden />
        Wants to call <code>{String(of["name"] ?? "a tool")}</code>
      </div>
      <JsonView value={of["args"] ?? null} open={2} label="Arguments" />
    </div>
  );
}
