/** The router. It is left untyped on purpose: addresses are made in `addresses.ts`, search values are plain words. */

import { createRouter } from "@tanstack/react-router";

import { readSearch, writeSearch } from "../model/search-values";
import { routeTree } from "../routes";
import { basePath } from "./page-place";

export const router = createRouter({
  routeTree,
  basepath: basePath,
  parseSearch: (text) => readSearch(text),
  stringifySearch: (values) => writeSearch(values as Parameters<typeof writeSearch>[0]),
  defaultPreload: "intent",
  defaultPendingMs: 150,
  scrollRestoration: true,
});
