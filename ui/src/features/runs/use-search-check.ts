/** Whether the search can be read, while it is being written. The term at the caret is left in peace: it is not done yet. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { Problem } from "../../api/problem";
import { readRuns } from "../../api/runs";
import { offsetOf } from "../../model/search-completion";

export interface SearchFault {
  start: number;
  length: number;
  message: string;
  hint: string | null;
}

const REST_MS = 350;

export function useSearchCheck(
  draft: string,
  text: string,
  problem: Problem | null,
  caret: number,
  isWriting: boolean,
): SearchFault | null {
  const rested = useRested(draft, REST_MS);
  const check = useQuery({
    queryKey: ["runs", "check", rested],
    queryFn: ({ signal }) => readRuns({ scope: null, filters: { q: rested, from: "-1h" }, limit: 1 }, signal).then(() => null),
    enabled: rested.trim() !== "" && rested !== text,
    retry: false,
    staleTime: Infinity,
  });
  const found = draft === text ? problem : rested === draft && check.error instanceof Problem ? check.error : null;
  const fault = found && found.status === 422 ? faultOf(found, draft) : null;
  if (!fault) return null;
  const within = caret >= fault.start && caret <= fault.start + fault.length;
  return isWriting && within && draft !== text ? null : fault;
}

function faultOf(problem: Problem, text: string): SearchFault {
  const fault = problem.faults.find((each) => each.position !== null && each.position !== undefined);
  const start = offsetOf(text, fault?.position ?? 0);
  return {
    start,
    length: offsetOf(text, (fault?.position ?? 0) + (fault?.length ?? 0)) - start,
    message: fault?.message ?? problem.message,
    hint: fault?.hint ?? problem.hint,
  };
}

function useRested(value: string, ms: number): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
