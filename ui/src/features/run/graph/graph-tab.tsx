/** The graph of the run's exact version, read-only, with each step's badge and time; the same steps as a tree beside it. */

import "@xyflow/react/dist/style.css";

import { Skeleton } from "@mantine/core";
import {
  Background,
  BaseEdge,
  Controls,
  EdgeLabelRenderer,
  MarkerType,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type EdgeProps,
} from "@xyflow/react";
import { useEffect, useMemo, useRef } from "react";

import { standings } from "../../../model/run/drawn";
import { lineThrough, type LaidGraph, type Point } from "../../../model/run/layout";
import { tookMs } from "../../../model/run/tree";
import { useRunPage } from "../run-page";
import { StepTree } from "../step-tree";
import styles from "./graph-tab.module.css";
import { StepNode, type StepFlowNode } from "./step-node";
import { useLaidGraph } from "./use-laid-graph";

const NODE_TYPES = { step: StepNode };
const EDGE_TYPES = { bent: BentEdge };

type BentFlowEdge = Edge<{ bends: Point[]; when: string | null }, "bent">;

function BentEdge({ sourceX, sourceY, targetX, targetY, markerEnd, data }: EdgeProps<BentFlowEdge>) {
  const points = [{ x: sourceX, y: sourceY }, ...(data?.bends ?? []), { x: targetX, y: targetY }];
  const last = points.at(-2) ?? points[0];
  const place = `translate(-50%, -50%) translate(${targetX * 0.8 + (last?.x ?? targetX) * 0.2}px, ${targetY - 18}px)`;
  return (
    <>
      <BaseEdge path={lineThrough(points)} markerEnd={markerEnd} />
      {data?.when && (
        <EdgeLabelRenderer>
          <span className={styles.when} style={{ transform: place }} title={data.when}>
            if
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
const MANY = 80;

export default function GraphTab() {
  const laid = useLaidGraph();
  return (
    <div className={styles.both}>
      <div className={styles.tree}>
        <StepTree />
      </div>
      <div className={styles.graph} role="group" aria-label="Graph of the steps; the tree beside it has the same">
        {laid ? (
          <ReactFlowProvider>
            <Canvas laid={laid} />
          </ReactFlowProvider>
        ) : (
          <Skeleton height="100%" radius={0} />
        )}
      </div>
    </div>
  );
}

function Canvas({ laid }: { laid: LaidGraph }) {
  const { record, chosen, choose, toggle, now } = useRunPage();
  const stand = useMemo(() => standings(laid.steps, record, chosen), [laid, record, chosen]);
  const nodes = useMemo(
    () =>
      laid.steps.map((step): StepFlowNode => {
        const standing = stand.get(step.path) ?? {
          path: step.path,
          step: null,
          status: "pending",
          reason: null,
          childRun: null,
          iterations: null,
        };
        return {
          id: step.path,
          type: "step",
          position: { x: step.x, y: step.y },
          parentId: step.parent ?? undefined,
          width: step.width,
          height: step.height,
          data: { laid: step, standing, took: tookMs(standing.step, now), chosen: standing.path === chosen, choose, toggle },
        };
      }),
    [laid, stand, chosen, choose, toggle, now],
  );
  const edges = useMemo(
    () =>
      laid.edges.map(({ id, source, target, when, parent, bends }): BentFlowEdge => {
        const status = stand.get(target)?.status ?? "pending";
        const taken = status !== "pending" && status !== "skipped";
        return {
          id,
          source,
          target,
          type: "bent",
          data: { when, bends: bends.map((bend) => added(bend, parent === null ? { x: 0, y: 0 } : place(laid, parent))) },
          className: taken ? styles.taken : styles.edge,
          markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: taken ? "var(--quiet)" : "var(--line-strong)" },
          ariaLabel: when ? `Under the condition ${when}` : undefined,
        };
      }),
    [laid, stand],
  );
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      disableKeyboardA11y
      onlyRenderVisibleElements={laid.steps.length > MANY}
      minZoom={0.1}
      maxZoom={1.5}
      proOptions={{ hideAttribution: true }}
      className={styles.flow}
    >
      <Background gap={16} size={1} color="var(--line)" />
      <Controls showInteractive={false} position="bottom-right" />
      <Fit laid={laid} stand={stand} />
    </ReactFlow>
  );
}

/** What is looked at is in sight: the whole graph where it can still be read, otherwise the step that is chosen. */
function Fit({ laid, stand }: { laid: LaidGraph; stand: ReturnType<typeof standings> }) {
  const { chosen } = useRunPage();
  const flow = useReactFlow();
  const box = useRef({ chosen, stand });
  box.current = { chosen, stand };
  const node = [...stand].find(([, standing]) => standing.path === chosen)?.[0];
  useEffect(() => {
    const fit = () => {
      const size = document.querySelector(`.${styles.graph}`)?.getBoundingClientRect();
      if (!size || size.width === 0) return;
      const zoom = Math.min(size.width / (laid.width + 48), size.height / (laid.height + 48));
      if (zoom >= 0.6) return void flow.fitView({ padding: "24px", maxZoom: 1 });
      const wanted = [...box.current.stand].find(([, standing]) => standing.path === box.current.chosen)?.[0];
      const step = laid.steps.find((each) => each.path === wanted) ?? laid.steps[0];
      if (!step) return;
      const at = place(laid, step.path);
      const close = Math.max(0.6, Math.min(0.8, zoom * 1.5));
      if (wanted) void flow.setCenter(at.x + step.width / 2, at.y + step.height / 2, { zoom: close });
      else void flow.setViewport({ x: (size.width - laid.width * close) / 2, y: 24, zoom: close });
    };
    let timer = setTimeout(fit, 0);
    const watch = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(fit, 60);
    });
    const canvas = document.querySelector(`.${styles.graph}`);
    if (canvas) watch.observe(canvas);
    return () => {
      watch.disconnect();
      clearTimeout(timer);
    };
  }, [laid, flow]);
  useEffect(() => {
    if (!node) return;
    const step = laid.steps.find((each) => each.path === node);
    const size = document.querySelector(`.${styles.graph}`)?.getBoundingClientRect();
    if (!step || !size) return;
    const { x, y, zoom } = flow.getViewport();
    const at = place(laid, node);
    const left = at.x * zoom + x;
    const top = at.y * zoom + y;
    const inSight = left >= 0 && top >= 0 && left + step.width * zoom <= size.width && top + STEP_TALL * zoom <= size.height;
    if (!inSight) void flow.setCenter(at.x + step.width / 2, at.y + STEP_TALL / 2, { zoom: Math.max(zoom, 0.5) });
  }, [node, laid, flow]);
  return null;
}

function added(a: Point, b: Point): Point {
  return { x: a.x + b.x, y: a.y + b.y };
}

const STEP_TALL = 56;

function place(laid: LaidGraph, path: string): { x: number; y: number } {
  let [x, y] = [0, 0];
  for (let step = laid.steps.find((each) => each.path === path); step; step = laid.steps.find((each) => each.path === step?.parent)) {
    x += step.x;
    y += step.y;
  }
  return { x, y };
}
