/** The address of a file with the selected runs. */

import { apiAddress } from "../../api/client";
import { MOST_AT_ONCE, theseRuns, type RunScope } from "../../api/runs";
import { filtersOf, EVER, type RunChoices } from "../../model/run-choices";
import { columnsOf, isField } from "../../model/run-columns";
import type { Selection } from "../../model/selection";

export type ExportFormat = "jsonl" | "csv" | "parquet" | "openai-finetune" | "otlp";

export const FORMATS: { format: ExportFormat; label: string }[] = [
  { format: "jsonl", label: "JSON lines, whole records" },
  { format: "csv", label: "CSV, a row a run" },
  { format: "parquet", label: "Parquet, a row a run" },
  { format: "openai-finetune", label: "OpenAI fine-tuning" },
  { format: "otlp", label: "OpenTelemetry traces" },
];

const NAMES_A_TIME = /\b(begun|created|ended|finished|start|started)(_at)?[:=<>!]/;

/** Return null when more runs were picked one by one than fit into one request. */
export function exportAddress(scope: RunScope, choices: RunChoices, selection: Selection, format: ExportFormat): string | null {
  const picked = selection.kind === "some" ? selection.ids : selection.except;
  if (picked.size > MOST_AT_ONCE) return null;
  const columns = columnsOf(choices.columns).map((column) => column.id).filter(isField); // prettier-ignore
  const column = format === "csv" || format === "parquet" ? columns : [];
  if (selection.kind === "some") {
    return apiAddress("/v1/runs/export", { format, q: theseRuns([...picked]), from: EVER, archived: "true", column });
  }
  const ids = [...picked].map((id) => id.replace(/^run_/, "")).join(",");
  const { q, from, ...filters } = filtersOf(choices);
  const whole = [q && `(${q})`, ids && `-run:${ids}`].filter(Boolean).join(" ");
  const since = from ?? (filters.to || NAMES_A_TIME.test(q ?? "") ? undefined : "-7d"); // as the list; an export is of all time by itself
  const workflow = scope === null ? filters.workflow : [scope];
  return apiAddress("/v1/runs/export", { format, ...filters, workflow, q: whole || undefined, from: since, column });
}
