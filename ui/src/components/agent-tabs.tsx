/** The pages of one agent. They are links, so each has its address and can be opened beside the others. */

import { useEffect, useRef } from "react";

import { agentAddress, agentRunsAddress, agentTabAddress, type Address } from "../app/addresses";
import styles from "./agent-tabs.module.css";
import { PageLink } from "./page-link";

export type AgentTabName = "configure" | "versions" | "tools" | "runs" | "evaluations" | "experiments";

const TABS: [AgentTabName, string, (slug: string) => Address][] = [
  ["configure", "Configure", agentAddress],
  ["versions", "Versions", (slug) => agentTabAddress(slug, "versions")],
  ["tools", "Tools", (slug) => agentTabAddress(slug, "tools")],
  ["runs", "Runs", (slug) => agentRunsAddress(slug)],
  ["evaluations", "Evaluations", (slug) => agentTabAddress(slug, "evaluations")],
  ["experiments", "Experiments", (slug) => agentTabAddress(slug, "experiments")],
];

export function AgentTabs({ slug, tab }: { slug: string; tab: AgentTabName }) {
  const nav = useRef<HTMLElement>(null);
  // On a small screen the current one may lie outside of what is seen.
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>("[aria-current]");
    if (nav.current && current) nav.current.scrollLeft = current.offsetLeft + current.offsetWidth - nav.current.clientWidth + 24;
  }, [tab]);
  return (
    <nav ref={nav} className={styles.tabs} aria-label="Agent">
      {TABS.map(([name, label, address]) => (
        <PageLink
          key={name}
          address={address(slug)}
          className={styles.tab}
          aria-current={name === tab ? "page" : undefined}
          activeOptions={{ exact: true, includeSearch: false }}
        >
          {label}
        </PageLink>
      ))}
    </nav>
  );
}
