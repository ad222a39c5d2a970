/** Filters: how many runs there are of each status, then flow, time, archive; each chosen one is a chip that can be taken away. */

import { IconArchive, IconCalendar, IconGitBranch, IconX } from "@tabler/icons-react";

import type { RunScope } from "../../api/runs";
import { usePreferences } from "../../app/preferences";
import { StatusIcon } from "../../components/status-icon";
import { compact, count } from "../../model/money";
import { hasFilters, PERIODS, periodLabel, withoutFilters, type Archived, type RunChoices } from "../../model/run-choices";
import { oneLine } from "../../model/safe-text";
import { RUN_STATUS_ORDER, runLook } from "../../model/status";
import styles from "./filter-bar.module.css";
import { FilterMenu } from "./filter-menu";
import { PeriodMenu } from "./period-menu";
import type { ChangeChoices } from "./runs-list";
import type { useCounts } from "./use-runs";

interface Props {
  scope: RunScope;
  choices: RunChoices;
  counts: ReturnType<typeof useCounts>;
  onChange: ChangeChoices;
}

const ARCHIVED: { value: Archived; label: string }[] = [
  { value: "false", label: "Without archived runs" },
  { value: "true", label: "With archived runs" },
  { value: "only", label: "Only archived runs" },
];

export function StatusFacets({ choices, counts, onChange }: Omit<Props, "scope">) {
  const statuses = RUN_STATUS_ORDER.filter((status) => counts.statuses[status] || choices.status.includes(status));
  return (
    <div className={styles.statuses} role="group" aria-label="Status">
      <button type="button" className={styles.status} aria-pressed={choices.status.length === 0} onClick={() => onChange({ status: [] })}>
        All
        {counts.allStatuses !== undefined && <span className={styles.number}>{compact(counts.allStatuses)}</span>}
      </button>
      {statuses.map((status) => {
        const look = runLook(status);
        const number = counts.statuses[status] ?? 0;
        return (
          <button
            key={status}
            type="button"
            className={styles.status}
            aria-pressed={choices.status.includes(status)}
            title={`${look.label}: ${count(number)}`}
            onClick={() => onChange({ status: toggled(choices.status, status) })}
          >
            <StatusIcon icon={look.icon === "spinner" ? "dot" : look.icon} tone={look.tone} />
            {look.label}
            <span className={styles.number}>{compact(number)}</span>
          </button>
        );
      })}
      {hasFilters(choices) && (
        <button type="button" className={styles.clear} onClick={() => onChange(withoutFilters(choices))}>
          Clear all
        </button>
      )}
    </div>
  );
}

export function FilterMenus({ scope, choices, counts, onChange }: Props) {
  const { timeZone } = usePreferences();
  const flows = Object.entries(counts.workflows?.workflows ?? {}).map(([id, number]) => ({
    value: counts.workflows?.workflow_names?.[id]?.slug ?? id,
    label: counts.workflows?.workflow_names?.[id]?.name || id,
    count: number,
  }));
  const chips = CHIPS.flatMap((name) => choices[name].map((value) => ({ name, value })));
  return (
    <div className={styles.menus}>
      {scope === null && (
        <FilterMenu
          icon={<IconGitBranch size={14} />}
          label={choices.workflow.length === 0 ? "All flows" : flowLabel(choices.workflow, flows)}
          name="Flow"
          isSet={choices.workflow.length > 0}
          options={flows}
          chosen={choices.workflow}
          onToggle={(value) => onChange({ workflow: toggled(choices.workflow, value) })}
          onClear={() => onChange({ workflow: [] })}
        />
      )}
      <PeriodMenu
        icon={<IconCalendar size={14} />}
        label={periodLabel(choices, timeZone)}
        isSet={Boolean(choices.from ?? choices.to)}
        periods={PERIODS}
        choices={choices}
        onChange={(from, to) => onChange({ from, to })}
      />
      <FilterMenu
        single
        icon={<IconArchive size={14} />}
        label={choices.archived === "false" ? "Not archived" : choices.archived === "only" ? "Only archived" : "With archived"}
        name="Archived"
        isSet={choices.archived !== "false"}
        options={ARCHIVED}
        chosen={[choices.archived]}
        onToggle={(value) => onChange({ archived: value as Archived })}
        onClear={() => onChange({ archived: "false" })}
      />
      {chips.map(({ name, value }) => (
        <span key={`${name}:${value}`} className={styles.chip}>
          {name}: {oneLine(value)}
          <button
            type="button"
            aria-label={`Take ${name} ${value} away`}
            onClick={() => onChange({ [name]: toggled(choices[name], value) })}
          >
            <IconX size={12} aria-hidden />
          </button>
        </span>
      ))}
    </div>
  );
}

const CHIPS = ["trigger", "tag", "environment"] as const;

function toggled(list: string[], value: string): string[] {
  return list.includes(value) ? list.filter((each) => each !== value) : [...list, value];
}

function flowLabel(chosen: string[], flows: { value: string; label: string }[]): string {
  const first = flows.find((flow) => flow.value === chosen[0])?.label ?? chosen[0] ?? "";
  return chosen.length === 1 ? first : `${first} and ${chosen.length - 1} more`;
}
