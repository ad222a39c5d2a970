/** Draws the icons that `model/status.ts` names. */

import {
  IconAlarm,
  IconBan,
  IconBug,
  IconCircleCheckFilled,
  IconCircleDot,
  IconCircleXFilled,
  IconClock,
  IconCoinOff,
  IconCpu,
  IconFileAlert,
  IconHourglass,
  IconLoader2,
  IconPlayerPauseFilled,
  IconPlayerSkipForward,
  IconPlayerStop,
  type Icon,
} from "@tabler/icons-react";

import type { IconName, Tone } from "../model/status";
import styles from "./status-badge.module.css";

const ICONS: Record<IconName, Icon> = {
  clock: IconClock,
  spinner: IconLoader2,
  hourglass: IconHourglass,
  pause: IconPlayerPauseFilled,
  draining: IconPlayerStop,
  check: IconCircleCheckFilled,
  cross: IconCircleXFilled,
  ban: IconBan,
  alarm: IconAlarm,
  coin: IconCoinOff,
  memory: IconCpu,
  log: IconFileAlert,
  bug: IconBug,
  skip: IconPlayerSkipForward,
  dot: IconCircleDot,
};

export function StatusIcon({ icon, tone, size = 14 }: { icon: IconName; tone: Tone; size?: number }) {
  const Drawn = ICONS[icon];
  return <Drawn size={size} aria-hidden color={`var(--tone-${tone})`} className={icon === "spinner" ? styles.turning : undefined} />;
}
