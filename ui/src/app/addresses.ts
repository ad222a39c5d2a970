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
