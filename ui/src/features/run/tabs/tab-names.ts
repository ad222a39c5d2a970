/** The tabs of a run's page. */

export const TABS = [
  { id: "graph", label: "Graph" },
  { id: "timeline", label: "Timeline" },
  { id: "events", label: "Events" },
  { id: "context", label: "Context" },
  { id: "cost", label: "Cost" },
] as const;

export type TabId = (typeof TABS)[number]["id"];
