/** The address of every page, in one place. Pages link to each other with these. */

import type { SearchValues } from "../model/search-values";

export interface Address {
  to: string;
  search?: SearchValues;
}

const part = encodeURIComponent;

export const commandCenterAddress = (): Address => ({ to: "/command-center" });
export const runsAddress = (search?: SearchValues): Address => ({ to: "/runs", search });
export const workflowRunsAddress = (slug: string, search?: SearchValues): Address => ({ to: `/workflows/${part(slug)}/runs`, search });
export const agentRunsAddress = (slug: string, search?: SearchValues): Address => ({ to: `/agents/${part(slug)}/runs`, search });
export const runAddress = (id: string, search?: SearchValues): Address => ({ to: `/runs/${part(id)}`, search });
export const agentRunAddress = (slug: string, id: string): Address => ({ to: `/agents/${part(slug)}/runs/${part(id)}` });
export const workflowsAddress = (search?: SearchValues): Address => ({ to: "/workflows", search });
export const workflowAddress = (slug: string): Address => ({ to: `/workflows/${part(slug)}` });
export const agentAddress = (slug: string): Address => ({ to: `/agents/${part(slug)}` });
export const settingsAddress = (section?: string): Address => ({ to: section ? `/settings/${part(section)}` : "/settings" });
export const connectionsAddress = (search?: SearchValues): Address => ({ to: "/connections", search });
export const welcomeAddress = (): Address => ({ to: "/welcome" });
export const agentsAddress = (search?: SearchValues): Address => ({ to: "/agents", search });
export const newAgentAddress: Address = { to: "/agents/new" };
export type AgentTab = "versions" | "tools" | "evaluations" | "experiments";
export const agentTabAddress = (slug: string, tab: AgentTab, search?: SearchValues): Address => ({
  to: `/agents/${part(slug)}/${tab}`,
  search,
});
export const experimentAddress = (slug: string, id: string): Address => ({ to: `/agents/${part(slug)}/experiments/${part(id)}` });

/** What the playground begins with: a workflow or agent, a run, one step's prompt of a run, or only a run's input. */
export interface Tried {
  workflow?: string;
  run?: string;
  step?: string;
  /** Only the run's input is taken; what is tried is the workflow as its runs start now. */
  take?: "input";
}
export const playgroundAddress = (tried: Tried = {}): Address => ({ to: "/playground", search: { ...tried } });
