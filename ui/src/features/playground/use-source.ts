/** What the playground begins with: a workflow, a run, one prompt of a run, or nothing at all. */

import { useQuery } from "@tanstack/react-query";

import { runPlaygroundQuery, type TriedCall } from "../../api/playground";
import { versionQuery } from "../../api/versions";
import { workflowQuery, type Workflow } from "../../api/workflows";
import { draftOf, newVariant, type Message, type VariantDraft } from "../../model/playground";
import { isRecord } from "../../model/schema-fields";

export interface Asked {
  workflow?: string;
  run?: string;
  step?: string;
  take?: "input";
}

export interface Source {
  /** What is kept for the session is kept under it. */
  key: string;
  run: string | null;
  /** The workflow or agent whose versions are tried; null: a prompt, or a message alone. */
  workflow: Workflow | null;
  /** One prompt of a run, as the model saw it. */
  call: TriedCall | null;
  input: unknown;
  messages: Message[] | null;
  variants: VariantDraft[];
}

export function useSource(asked: Asked): { source: Source | null; error: unknown; retry: () => void } {
  const run = useQuery({ ...runPlaygroundQuery(asked.run ?? ""), enabled: asked.run !== undefined });
  const slug = asked.workflow ?? (asked.step && !asked.take ? undefined : run.data?.workflow);
  const workflow = useQuery({ ...workflowQuery(slug ?? ""), enabled: slug !== undefined });
  const error = run.error ?? workflow.error;
  const retry = () => void Promise.all([asked.run ? run.refetch() : null, slug ? workflow.refetch() : null]);
  if (error || (asked.run && !run.data) || (slug && !workflow.data)) return { source: null, error, retry };
  const key = ["playground", asked.workflow ?? "", asked.run ?? "", asked.step ?? "", asked.take ?? ""].join(":");
  const common = { key, run: asked.run ?? null, workflow: workflow.data ?? null };
  const call = asked.step && !asked.take && !asked.workflow ? callOf(run.data?.calls ?? [], asked.step) : null;
  if (asked.step && !asked.take && !asked.workflow && !call) {
    return { source: null, error: new Error(`The step ${asked.step} of this run asked no model.`), retry };
  }
  const suggested = call?.variants ?? (asked.take || asked.workflow ? [] : (run.data?.variants ?? []));
  const variants = suggested.filter(isRecord).map((each, at) => draftOf(each, at + 1));
  const source = {
    ...common,
    call,
    input: run.data?.input,
    messages: call ? (call.messages as unknown as Message[]) : null,
    variants: variants.length > 0 ? variants : [newVariant([])],
  };
  return { source, error: null, retry };
}

/** The last call of the step: what it answered is what the step gave. */
function callOf(calls: readonly TriedCall[], step: string): TriedCall | null {
  return calls.filter((call) => call.step_id === step || String(call.seq) === step).at(-1) ?? null;
}

/** The document of the version that a variant tries. */
export function useDocument(workflow: Workflow | null, version: number | null): Record<string, unknown> | null {
  const number = version ?? workflow?.active_version ?? null;
  const known = workflow !== null && number !== null;
  const { data } = useQuery({ ...versionQuery(workflow?.slug ?? "", number ?? 0), enabled: known });
  return known
    ? ((data?.document as Record<string, unknown> | undefined) ?? null)
    : ((workflow?.document as Record<string, unknown>) ?? null);
}
