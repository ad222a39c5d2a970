/** A step as the graph draws it: name, kind, badge and time; a loop or child run that is open is a frame. */

import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { IconArrowUpRight, IconChevronDown, IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { memo } from "react";

import { runAddress } from "../../../app/addresses";
import { PageLink } from "../../../components/page-link";
import { PlainText } from "../../../components/plain-text";
import { StepBadge } from "../../../components/status-badge";
import type { Standing } from "../../../model/run/drawn";
import type { LaidStep } from "../../../model/run/layout";
import { stepLook } from "../../../model/status";
import { duration } from "../../../model/time";
import { revealPanel } from "../reveal";
import styles from "./step-node.module.css";
import { StepIcon } from "./step-icon";

export type StepNodeData = {
  laid: LaidStep;
  standing: Standing;
  took: number | null;
  chosen: boolean;
  choose: (path: string) => void;
  toggle: (path: string) => void;
};

export type StepFlowNode = Node<StepNodeData, "step">;

export const StepNode = memo(function StepNode({ data }: NodeProps<StepFlowNode>) {
  const { laid, standing, took, chosen, choose, toggle } = data;
  const look = stepLook(standing.status, standing.reason);
  const tone = { "--tone": `var(--tone-${look.tone})` } as React.CSSProperties;
  const { iterations } = standing;
  return (
    <div
      className={styles.step}
      style={{ ...tone, width: laid.width, height: laid.height }}
      data-open={laid.open || undefined}
      data-foldable={(laid.foldable && standing.childRun === null) || undefined}
      data-picks={(laid.open && iterations !== null && iterations.paths.length > 1) || undefined}
      data-chosen={chosen || undefined}
      data-status={standing.status}
      data-step-type={laid.drawn.type}
      data-step={standing.path}
    >
      <Handle type="target" position={Position.Top} className={styles.handle} isConnectable={false} />
      <button
        type="button"
        tabIndex={-1}
        className={styles.card}
        onClick={() => {
          choose(standing.path);
          revealPanel();
        }}
        disabled={standing.childRun !== null}
      >
        <StepIcon type={laid.drawn.type} />
        <span className={styles.words}>
          <span className={styles.name}>
            <PlainText text={laid.drawn.name || laid.drawn.id} />
          </span>
          <span className={styles.under}>
            <StepBadge status={standing.status} reason={standing.reason} />
            {took !== null && <span className={styles.took}>{duration(took)}</span>}
            {iterations && (
              <span className={styles.took} title="Iterations that are over">
                {iterations.done}/{iterations.of ?? iterations.paths.length}
                {iterations.failed > 0 && `, ${iterations.failed} failed`}
              </span>
            )}
          </span>
        </span>
      </button>
      {laid.open && iterations && iterations.paths.length > 1 && (
        <span className={styles.picker}>
          <button
            type="button"
            tabIndex={-1}
            aria-label="Iteration before"
            disabled={iterations.shown <= 0}
            onClick={() => choose(iterations.paths[iterations.shown - 1] as string)}
          >
            <IconChevronLeft size={12} aria-hidden />
          </button>
          {iterations.shown + 1} of {iterations.paths.length}
          <button
            type="button"
            tabIndex={-1}
            aria-label="Next iteration"
            disabled={iterations.shown >= iterations.paths.length - 1}
            onClick={() => choose(iterations.paths[iterations.shown + 1] as string)}
          >
            <IconChevronRight size={12} aria-hidden />
          </button>
        </span>
      )}
      {laid.drawn.type === "workflow" && standing.step && standing.step.children.length > 0 && (
        <PageLink
          address={runAddress(standing.step.children.at(-1) as string)}
          className={styles.child}
          title="Open the child run"
          aria-label="Open the child run"
          tabIndex={-1}
        >
          <IconArrowUpRight size={14} aria-hidden />
        </PageLink>
      )}
      {laid.foldable && standing.childRun === null && (
        <button
          type="button"
          tabIndex={-1}
          className={styles.fold}
          aria-label={laid.open ? "Fold" : "Unfold"}
          onClick={() => toggle(standing.path)}
        >
          <IconChevronDown size={14} aria-hidden />
        </button>
      )}
      <Handle type="source" position={Position.Bottom} className={styles.handle} isConnectable={false} />
    </div>
  );
});
