/** Datasets: rows of inputs with what is expected of them. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type Dataset = Schemas["Dataset"];

export const datasetKeys = { all: ["datasets"] as const };

export const datasetsQuery = queryOptions({
  queryKey: datasetKeys.all,
  queryFn: ({ signal }) => answer(api.GET("/v1/datasets", { params: { query: { limit: 200 } }, signal })),
});

export function createDataset(body: Schemas["DatasetBody"]): Promise<Dataset> {
  return answer(api.POST("/v1/datasets", { body }));
}

export function addRows(dataset: string, rows: Schemas["RowBody"][]): Promise<Schemas["DatasetVersion"]> {
  const params = { path: { dataset_id: dataset } };
  return answer(api.POST("/v1/datasets/{dataset_id}/versions", { params, body: { append: true, rows } }));
}
