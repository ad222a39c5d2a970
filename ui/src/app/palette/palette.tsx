/** The command palette: go anywhere, paste any id, search runs. */

import { Modal } from "@mantine/core";
import { IconArrowRight, IconGitBranch, IconListDetails, IconRobot, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { workflowsQuery } from "../../api/workflows";
import { fitting, pastedId, type Offer } from "../../model/palette";
import { oneLine } from "../../model/safe-text";
import { agentRunsAddress, runAddress, runsAddress, workflowRunsAddress, type Address } from "../addresses";
import { NAVIGATION } from "../navigation";
import { useSession } from "../session";
import { openShortcuts } from "../shortcuts-opening";
import { palette } from "./opening";
import styles from "./palette.module.css";

interface Way extends Offer {
  icon: ReactNode;
  go: Address | (() => void);
}

export default function Palette() {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const navigate = useNavigate();
  const list = useId();
  const options = useRef<HTMLDivElement>(null);
  const ways = useWays(typed);
  useEffect(() => setActive(0), [typed]);
  useEffect(() => {
    void options.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }); // it returns a promise in newer browsers
  }, [active]);

  const take = (way: Way | undefined) => {
    if (!way) return;
    palette.close();
    if (typeof way.go === "function") way.go();
    else void navigate({ to: way.go.to, search: (way.go.search ?? {}) as never });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setActive((active + 1) % Math.max(1, ways.length));
    else if (event.key === "ArrowUp") setActive((active - 1 + ways.length) % Math.max(1, ways.length));
    else if (event.key === "Enter") take(ways[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal.Root opened onClose={palette.close} size={560} yOffset="12vh" padding={0}>
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label="Go to anything" radius={10}>
        <div className={styles.field}>
          <IconSearch size={18} aria-hidden />
          <input
            data-autofocus
            role="combobox"
            aria-label="Go to anything"
            aria-expanded
            aria-controls={list}
            aria-activedescendant={ways[active] ? `${list}-${active}` : undefined}
            placeholder="A page, a workflow, an id, or words to search runs for"
            spellCheck={false}
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        <div ref={options} id={list} role="listbox" aria-label="Where to" className={styles.options} tabIndex={-1}>
          {ways.map((way, index) => (
            <div key={way.id} role="presentation">
              {way.group !== ways[index - 1]?.group && (
                <div className={styles.group} role="presentation">
                  {way.group}
                </div>
              )}
              <div
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === active}
                className={styles.option}
                onPointerMove={() => setActive(index)}
                onClick={() => take(way)}
              >
                {way.icon}
                <span className={styles.label}>{way.label}</span>
                {way.about && <span className={styles.about}>{way.about}</span>}
              </div>
            </div>
          ))}
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}

function useWays(typed: string): Way[] {
  const { permissions } = useSession();
  const text = typed.trim();
  const found = useQuery({ ...workflowsQuery({ q: text || undefined, limit: 8 }), staleTime: 30_000 });
  return useMemo(() => {
    const pages: Way[] = NAVIGATION.filter((entry) => !entry.needs || permissions.includes(entry.needs)).map(
      ({ label, to, icon: Icon }) => ({
        id: to,
        group: "Pages",
        label,
        icon: <Icon size={16} aria-hidden />,
        go: { to },
      }),
    );
    const actions: Way[] = [
      { id: "keys", group: "Actions", label: "Keyboard shortcuts", icon: <IconArrowRight size={16} aria-hidden />, go: openShortcuts },
    ];
    const workflows: Way[] = (found.data?.data ?? []).map((workflow) => ({
      id: workflow.id,
      group: workflow.kind === "agent" ? "Agents" : "Workflows",
      label: oneLine(workflow.name),
      about: workflow.slug,
      icon: workflow.kind === "agent" ? <IconRobot size={16} aria-hidden /> : <IconGitBranch size={16} aria-hidden />,
      go: workflow.kind === "agent" ? agentRunsAddress(workflow.slug) : workflowRunsAddress(workflow.slug),
    }));
    workflows.sort((a, b) => b.group.localeCompare(a.group));
    const search: Way[] =
      text === ""
        ? []
        : [
            {
              id: "search",
              group: "Search",
              label: `Search runs for ${text}`,
              icon: <IconSearch size={16} aria-hidden />,
              go: runsAddress({ q: text }),
            },
          ];
    return [...idWays(text), ...fitting(pages, text), ...workflows, ...search, ...fitting(actions, text)];
  }, [text, found.data, permissions]);
}

function idWays(text: string): Way[] {
  const pasted = pastedId(text);
  if (!pasted || pasted.kind === "unknown") return [];
  const go = pasted.kind === "run" ? runAddress(pasted.id) : workflowRunsAddress(pasted.id);
  const label = pasted.kind === "run" ? "Open the run" : "Runs of the workflow";
  return [{ id: "pasted", group: "This id", label, about: pasted.id, icon: <IconListDetails size={16} aria-hidden />, go }];
}
