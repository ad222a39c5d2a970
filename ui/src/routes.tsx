/** Which page lies at which address. Every page is a chunk of its own: it is loaded when somebody goes there. */

import { createRootRoute, createRoute, lazyRouteComponent, type AnyRoute } from "@tanstack/react-router";

import { NotFoundPage, FailedPage } from "./app/error-pages";
import { Shell } from "./app/shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage, errorComponent: FailedPage });

type Load = Parameters<typeof lazyRouteComponent>[0];

function page(path: string, load: Load, name: string): AnyRoute {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) }) as unknown as AnyRoute;
}

export const routeTree = root.addChildren([
  page("/", () => import("./features/first-run/page"), "StartPage"),
  page("/welcome", () => import("./features/first-run/page"), "WelcomePage"),
  page("/command-center", () => import("./features/command-center/page"), "CommandCenterPage"),
  page("/runs", () => import("./features/runs/page"), "AllRunsPage"),
  page("/workflows/$slug/runs", () => import("./features/runs/page"), "WorkflowRunsPage"),
  page("/agents/$slug/runs", () => import("./features/runs/page"), "WorkflowRunsPage"),
  page("/analytics", () => import("./features/analytics/page"), "AnalyticsPage"),
  page("/connections", () => import("./features/connections/page"), "ConnectionsPage"),
  page("/settings", () => import("./features/settings/page"), "SettingsPage"),
  page("/settings/$part", () => import("./features/settings/page"), "SettingsPage"),
  page("/runs/$id", () => import("./features/run/page"), "RunPage"),
  page("/agents/$slug/runs/$id", () => import("./features/run/page"), "AgentRunPage"),
  page("/workflows", () => import("./features/workflows/page"), "WorkflowsPage"),
  page("/agents", () => import("./features/agents/page"), "AgentsPage"),
  page("/agents/new", () => import("./features/agents/new-page"), "NewAgentPage"),
  page("/agents/$slug", () => import("./features/agents/configure-page"), "ConfigurePage"),
  page("/agents/$slug/versions", () => import("./features/agents/versions-page"), "VersionsPage"),
  page("/agents/$slug/tools", () => import("./features/agents/tools-page"), "ToolsPage"),
  page("/agents/$slug/evaluations", () => import("./features/agents/evaluations-page"), "EvaluationsPage"),
  page("/agents/$slug/experiments", () => import("./features/agents/experiments-page"), "ExperimentsPage"),
  page("/agents/$slug/experiments/$id", () => import("./features/agents/experiment-page"), "ExperimentPage"),
  page("/playground", () => import("./features/playground/page"), "PlaygroundPage"),
]);
