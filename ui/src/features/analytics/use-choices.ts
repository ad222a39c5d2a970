/** What was chosen on the page, which is in its address, and the names of workflows. */

import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import type { Group } from "../../api/analytics";
import { workflowsQuery } from "../../api/workflows";
import { runsAddress, type Address } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { listBehind, readFigureChoices, writeFigureChoices, type FigureChoices } from "../../model/figures";
import { oneLine } from "../../model/safe-text";

const MOST_NAMES = 200;

export function useFigureChoices() {
  const [values, setValues] = useSearchValues();
  const change = useCallback(
    (part: Partial<FigureChoices>) => setValues((now) => writeFigureChoices({ ...readFigureChoices(now), ...part })),
    [setValues],
  );
  return [readFigureChoices(values), change] as const;
}

export interface Names {
  workflows: { slug: string; name: string }[];
  /** The name of what a group has in common. */
  ofGroup: (group: Group | null | undefined) => string;
  /** The list of runs behind a number. */
  behind: (search: string) => Address;
}

export function useNames(): Names {
  const { data } = useQuery({ ...workflowsQuery({ limit: MOST_NAMES }), staleTime: 60_000 });
  return useMemo(() => {
    const known = new Map((data?.data ?? []).map((workflow) => [workflow.id, workflow]));
    const nameOf = (id: string) => oneLine(known.get(id)?.name ?? id);
    return {
      workflows: (data?.data ?? []).map(({ slug, name }) => ({ slug, name: oneLine(name) })),
      ofGroup: (group) => {
        if (!group) return "All";
        if (group.model) return oneLine(group.model.replace(" (no real model)", ""));
        if (group.trigger) return group.trigger;
        const name = group.workflow_id ? nameOf(group.workflow_id) : "None";
        return group.version === null || group.version === undefined ? name : `${name}, version ${group.version}`;
      },
      behind: (search) => runsAddress(listBehind(search, (id) => known.get(id)?.slug)),
    };
  }, [data]);
}
