/** The search: a line in the search language, with what could stand at the caret, and mistakes marked at their place. */

import { ActionIcon } from "@mantine/core";
import { IconAlertTriangle, IconSearch, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";

import type { Problem } from "../../api/problem";
import { runFieldsQuery } from "../../api/runs";
import { useKeys } from "../../app/keys";
import { sentence } from "../../model/sentence";
import { accepted, suggestions, writingAt, type Suggestion } from "../../model/search-completion";
import styles from "./search-box.module.css";
import { useSearchCheck } from "./use-search-check";

interface Props {
  text: string;
  /** Why the search in the address could not be read. */
  problem: Problem | null;
  onSearch: (text: string) => void;
}

export function SearchBox({ text, problem, onSearch }: Props) {
  const [draft, setDraft] = useState(text);
  const [caret, setCaret] = useState(text.length);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const fields = useQuery({ ...runFieldsQuery, enabled: open });
  useEffect(() => setDraft(text), [text]);
  useKeys({ "/": () => input.current?.focus() });

  const writing = useMemo(() => (open ? writingAt(draft, caret) : null), [open, draft, caret]);
  const known = useMemo(() => [...(fields.data?.data ?? []), ...(fields.data?.seen ?? [])], [fields.data]);
  const offered = useMemo(() => (writing ? suggestions(writing, known) : []), [writing, known]);
  const fault = useSearchCheck(draft, text, problem, caret, open);

  const take = (suggestion: Suggestion) => {
    if (!writing) return;
    const next = accepted(draft, writing, suggestion);
    setDraft(next.text);
    setCaret(next.caret);
    setActive(-1);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };
  const search = () => {
    setOpen(false);
    setActive(-1);
    if (draft.trim() !== text) onSearch(draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = offered[active];
    if (event.key === "ArrowDown" && offered.length > 0) setActive((active + 1) % offered.length);
    else if (event.key === "ArrowUp" && offered.length > 0) setActive((active <= 0 ? offered.length : active) - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen) take(chosen);
    else if (event.key === "Enter") search();
    else if (event.key === "Escape" && open) setOpen(false);
    else return;
    event.preventDefault();
  };
  const place = () => setCaret(input.current?.selectionStart ?? draft.length);
  return (
    <div className={styles.search} data-fault={fault ? true : undefined}>
      <div className={styles.box}>
        <IconSearch size={16} aria-hidden className={styles.icon} />
        <div className={styles.field}>
          {fault && <Mark text={draft} start={fault.start} length={fault.length} />}
          <input
            ref={input}
            role="combobox"
            aria-label="Search runs"
            aria-expanded={open && offered.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={offered[active] ? `${list}-${active}` : undefined}
            aria-invalid={fault ? true : undefined}
            aria-describedby={fault ? `${list}-fault` : undefined}
            placeholder="Words, or fields such as status:failed duration:>2s input.ticket.lang:de"
            spellCheck={false}
            autoComplete="off"
            maxLength={4096}
            value={draft}
            onChange={(event) => {
              setDraft(event.currentTarget.value);
              setCaret(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
              setActive(-1);
              setOpen(true);
            }}
            onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            onSelect={place}
            onKeyDown={onKeyDown}
          />
        </div>
        {draft && (
          <ActionIcon size={24} aria-label="Clear the search" onClick={() => (setDraft(""), onSearch(""))}>
            <IconX size={14} />
          </ActionIcon>
        )}
      </div>
      {fault && (
        <p className={styles.fault} id={`${list}-fault`} role="alert">
          <IconAlertTriangle size={14} aria-hidden />
          {sentence(fault.message)}
          {fault.hint && <span>{sentence(fault.hint)}</span>}
        </p>
      )}
      <ul id={list} role="listbox" aria-label="What could stand here" className={styles.offers} hidden={!open || offered.length === 0}>
        {offered.map((each, index) => (
          <li
            key={each.text}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === active}
            onPointerDown={(event) => {
              event.preventDefault();
              take(each);
            }}
          >
            <span className={styles.name}>{each.text}</span>
            <span className={styles.about}>{each.about}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Lies behind the input with the same text, and underlines the mistake. */
function Mark({ text, start, length }: { text: string; start: number; length: number }) {
  const end = Math.max(start + 1, start + length);
  return (
    <div className={styles.mark} aria-hidden>
      {text.slice(0, start)}
      <u>{text.slice(start, end) || " "}</u>
      {text.slice(end)}
    </div>
  );
}
