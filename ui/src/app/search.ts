/** The choices of a page, which live in its address. */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

import type { SearchValues } from "../model/search-values";

type Change = (values: SearchValues) => SearchValues;

/** Return the values of the address, and a way to change them. `replace`: without a step in the browser's history. */
export function useSearchValues(): [SearchValues, (change: Change, options?: { replace?: boolean }) => void] {
  const values = useSearch({ strict: false }) as SearchValues;
  const navigate = useNavigate();
  const change = useCallback(
    (next: Change, options: { replace?: boolean } = {}) => {
      void navigate({ to: ".", search: ((before: SearchValues) => next(before)) as never, replace: options.replace ?? false });
    },
    [navigate],
  );
  return [values, change];
}
