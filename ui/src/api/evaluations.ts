/** Evaluators, what they judge by themselves, and experiments. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type Evaluator = Schemas["Evaluator"];
export type Attachment = Schemas["Attachment"];
export type Experiment = Schemas["Experiment"];
export type Comparison = Schemas["Comparison"];
export type ComparedRow = Schemas["ComparedRow"];
export type VariantFigures = Schemas["VariantFigures"];

export const evaluationKeys = {
  evaluators: ["evaluators"] as const,
  attached: (key: string) => ["evaluators", "attached", key] as const,
  experiments: ["experiments"] as const,
  experiment: (id: string) => ["experiments", "one", id] as const,
  rows: (id: string, cursor: string | undefined, open: string) => ["experiments", "rows", id, cursor, open] as const,
};

export const evaluatorsQuery = queryOptions({
  queryKey: evaluationKeys.evaluators,
  queryFn: ({ signal }) => answer(api.GET("/v1/evaluators", { params: { query: { limit: 200 } }, signal })),
});

export function attachedQuery(key: string) {
  return queryOptions({
    queryKey: evaluationKeys.attached(key),
    queryFn: ({ signal }) => answer(api.GET("/v1/workflows/{key}/evaluators", { params: { path: { key } }, signal })),
  });
}

export function createEvaluator(body: Partial<Schemas["EvaluatorBody"]> & { name: string }): Promise<Evaluator> {
  return answer(api.POST("/v1/evaluators", { body: body as never }));
}

export function attach(key: string, evaluator: string, sampleRate: number): Promise<Attachment> {
  const params = { path: { key, evaluator_id: evaluator } };
  return answer(api.PUT("/v1/workflows/{key}/evaluators/{evaluator_id}", { params, body: { on: "run", sample_rate: sampleRate } }));
}

export function detach(key: string, evaluator: string): Promise<unknown> {
  return answer(api.DELETE("/v1/workflows/{key}/evaluators/{evaluator_id}", { params: { path: { key, evaluator_id: evaluator } } }));
}

const AGAIN_MS = 1_000;
const isOpen = (experiment: Experiment) => experiment.status === "running" || experiment.status === "stopping";

export const experimentsQuery = queryOptions({
  queryKey: evaluationKeys.experiments,
  queryFn: ({ signal }) => answer(api.GET("/v1/experiments", { params: { query: { limit: 200 } }, signal })),
  refetchInterval: (query) => (query.state.data?.data.some(isOpen) ? AGAIN_MS : false),
});

export function experimentQuery(id: string) {
  return queryOptions({
    queryKey: evaluationKeys.experiment(id),
    queryFn: ({ signal }) => answer(api.GET("/v1/experiments/{experiment_id}", { params: { path: { experiment_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data && isOpen(query.state.data.experiment) ? AGAIN_MS : false),
  });
}

/** They are as they were when the experiment stood so: another state of it asks for them anew. */
export function experimentRowsQuery({ id, status, open_cells }: Experiment, cursor: string | undefined) {
  const params = { path: { experiment_id: id }, query: { limit: 50, cursor } };
  return queryOptions({
    queryKey: evaluationKeys.rows(id, cursor, `${status} ${open_cells}`),
    queryFn: ({ signal }) => answer(api.GET("/v1/experiments/{experiment_id}/rows", { params, signal })),
    placeholderData: keepPreviousData,
  });
}

export function startExperiment(body: Partial<Schemas["ExperimentBody"]> & Pick<Schemas["ExperimentBody"], "name">): Promise<Experiment> {
  return answer(api.POST("/v1/experiments", { body: body as never }));
}

export function stopExperiment(id: string): Promise<Experiment> {
  return answer(api.POST("/v1/experiments/{experiment_id}/stop", { params: { path: { experiment_id: id } } }));
}
