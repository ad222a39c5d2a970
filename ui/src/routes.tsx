/** Which page lies at which address. Every page is a chunk of its own: it is loaded when somebody goes there. */

import { createRootRoute, createRoute, lazyRouteComponent, redirect, type AnyRoute } from "@tanstack/react-router";

import { NotFoundPage, FailedPage } from "./app/error-pages";
import { Shell } from "./app/shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage, errorComponent: FailedPage });

type Load = Parameters<typeof lazyRouteComponent>[0];

function page(path: string, load: Load, name: string): AnyRoute {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) }) as unknown as AnyRoute;
}

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/runs" });
  },
});

export const routeTree = root.addChildren([
  start,
  page("/runs", () => import("./features/runs/page"), "AllRunsPage"),
  page("/workflows/$slug/runs", () => import("./features/runs/page"), "WorkflowRunsPage"),
  page("/agents/$slug/runs", () => import("./features/runs/page"), "WorkflowRunsPage"),
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
