/** Figures about many runs. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type GroupBy = "workflow" | "version" | "model" | "trigger";
export type Granularity = "minute" | "hour" | "day" | "week" | "month";
export type Group = Schemas["Group"];

/** Of which runs. `window` is the time before now, as `7d`; `from` and `to` are moments. */
export interface Span {
  window?: string;
  from?: string;
  to?: string;
  workflow?: string;
  environment?: string;
}

export interface Asked extends Span {
  group_by?: GroupBy;
}

export interface SeriesAsked extends Asked {
  granularity?: Granularity;
  tz: string;
}

const EVERY_MS = 15_000;

export const figureKeys = {
  all: ["analytics"] as const,
  one: (figure: string, asked: Asked | SeriesAsked) => ["analytics", figure, asked] as const,
};

type Ask<T> = (signal: AbortSignal) => Promise<T>;

const figure = <T>(name: string, asked: Asked | SeriesAsked, ask: Ask<T>) =>
  queryOptions({
    queryKey: figureKeys.one(name, asked),
    queryFn: ({ signal }) => ask(signal),
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  });

export const runsCountQuery = (query: Asked) =>
  figure("runs-count", query, (signal) => answer(api.GET("/v1/analytics/runs-count", { params: { query }, signal })));
export const successRateQuery = (query: Asked) =>
  figure("success-rate", query, (signal) => answer(api.GET("/v1/analytics/success-rate", { params: { query }, signal })));
export const durationQuery = (query: Asked) =>
  figure("execution-duration", query, (signal) => answer(api.GET("/v1/analytics/execution-duration", { params: { query }, signal })));
export const costQuery = (query: Asked) =>
  figure("cost", query, (signal) => answer(api.GET("/v1/analytics/cost", { params: { query }, signal })));
export const tokensQuery = (query: Asked) =>
  figure("tokens-used", query, (signal) => answer(api.GET("/v1/analytics/tokens-used", { params: { query }, signal })));
export const stepsExecutedQuery = (query: Asked) =>
  figure("steps-executed", query, (signal) => answer(api.GET("/v1/analytics/steps-executed", { params: { query }, signal })));
export const stepsSummaryQuery = (query: Asked) =>
  figure("steps-summary", query, (signal) => answer(api.GET("/v1/analytics/steps-summary", { params: { query }, signal })));
export const runsSeriesQuery = (query: SeriesAsked) =>
  figure("runs-timeseries", query, (signal) => answer(api.GET("/v1/analytics/runs-timeseries", { params: { query }, signal })));
export const usageSeriesQuery = (query: SeriesAsked) =>
  figure("usage-timeseries", query, (signal) => answer(api.GET("/v1/analytics/usage-timeseries", { params: { query }, signal })));
