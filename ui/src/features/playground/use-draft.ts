/** What is written in the playground. It is kept for the session, each beginning by itself. */

import { useEffect, useState } from "react";

import type { Message, VariantDraft } from "../../model/playground";
import type { Source } from "./use-source";

export interface Draft {
  input: unknown;
  messages: Message[] | null;
  variants: VariantDraft[];
}

export type ChangeDraft = (change: Partial<Draft> | ((draft: Draft) => Partial<Draft>)) => void;

export function useDraft(source: Source): [Draft, ChangeDraft, () => void] {
  const first = { input: source.input, messages: source.messages, variants: source.variants };
  const [draft, setDraft] = useState<Draft>(() => kept(source.key) ?? first);
  useEffect(() => {
    const timer = setTimeout(() => keep(source.key, draft), 200);
    return () => {
      clearTimeout(timer);
      keep(source.key, draft);
    };
  }, [source.key, draft]);
  const change: ChangeDraft = (next) => setDraft((now) => ({ ...now, ...(typeof next === "function" ? next(now) : next) }));
  return [draft, change, () => setDraft(first)];
}

function kept(key: string): Draft | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? "null") as Draft | null;
    return found && Array.isArray(found.variants) && found.variants.length > 0 ? found : null;
  } catch {
    return null;
  }
}

function keep(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // too large, or not allowed here: then it lasts as long as the page
  }
}
