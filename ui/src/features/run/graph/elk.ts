/** Places the steps of a large graph with elk, in a worker, so that the page stays quick meanwhile. */

import type { ELK, ElkNode } from "elkjs/lib/elk-api";
import ElkApi from "elkjs/lib/elk-api.js";
import ElkWorker from "elkjs/lib/elk-worker.min.js?worker";

import type { Level, Positions } from "../../../model/run/layout";

let elk: ELK | null = null;

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.layered.spacing.nodeNodeBetweenLayers": "40",
  "elk.spacing.nodeNode": "28",
  "elk.padding": "[top=0,left=0,bottom=0,right=0]",
  "elk.layered.thoroughness": "1",
  "elk.edgeRouting": "POLYLINE",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF", // half the time of the usual one
};

export async function placeWithElk({ boxes, edges }: Level): Promise<Positions> {
  elk ??= new ElkApi({ workerFactory: () => new ElkWorker() });
  const placed: ElkNode = await elk.layout({
    id: "all",
    layoutOptions: OPTIONS,
    children: boxes.map((box) => ({ ...box })),
    edges: edges.map(({ source, target }, index) => ({ id: String(index), sources: [source], targets: [target] })),
  });
  return {
    at: new Map((placed.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }])),
    bends: (placed.edges ?? []).map((edge) => edge.sections?.[0]?.bendPoints ?? []),
    width: placed.width ?? 0,
    height: placed.height ?? 0,
  };
}
