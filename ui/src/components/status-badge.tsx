/** A status: icon, label, colour. Never colour alone. */

import type { StatusLook } from "../model/status";
import { runLook, stepLook, waitingFor } from "../model/status";
import styles from "./status-badge.module.css";
import { StatusIcon } from "./status-icon";

export function StatusBadge({ status, waiting, size = "md" }: { status: string; waiting?: string | null; size?: "sm" | "md" }) {
  const what = status === "waiting" ? waitingFor(waiting) : null;
  return <Badge look={runLook(status)} size={size} title={what ? `Waits for ${what}` : undefined} />;
}

export function StepBadge({ status, reason, size = "sm" }: { status: string; reason?: string | null; size?: "sm" | "md" }) {
  return <Badge look={stepLook(status, reason)} size={size} />;
}

function Badge({ look, size, title }: { look: StatusLook; size: "sm" | "md"; title?: string }) {
  return (
    <span className={styles.badge} data-size={size} data-tone={look.tone} title={title} style={tone(look)}>
      <StatusIcon icon={look.icon} tone={look.tone} size={size === "sm" ? 12 : 14} />
      <span className={styles.label}>{look.label}</span>
    </span>
  );
}

function tone(look: StatusLook): React.CSSProperties {
  return { "--tone": `var(--tone-${look.tone})`, "--tone-ink": `var(--tone-${look.tone}-ink)` } as React.CSSProperties;
}
