/** Which kind of step it is. */

import {
  IconArrowsShuffle,
  IconBraces,
  IconBrandPython,
  IconClockPause,
  IconGitBranch,
  IconMessageCircle,
  IconMessages,
  IconPoint,
  IconRepeat,
  IconRobot,
  IconRotateClockwise,
  IconSparkles,
  IconTool,
  IconUserCheck,
  IconWorld,
  type Icon,
} from "@tabler/icons-react";

import styles from "./step-icon.module.css";

const ICONS: Record<string, Icon> = {
  transform: IconBraces,
  python: IconBrandPython,
  http: IconWorld,
  llm: IconSparkles,
  agent: IconRobot,
  tool: IconTool,
  approval: IconUserCheck,
  delay: IconClockPause,
  wait: IconMessageCircle,
  for_each: IconArrowsShuffle,
  while: IconRotateClockwise,
  workflow: IconGitBranch,
  conversation: IconMessages,
  iteration: IconRepeat,
};

export function StepIcon({ type }: { type: string }) {
  const Drawn = ICONS[type] ?? IconPoint;
  return (
    <span className={styles.icon} title={type.replace("_", " ")}>
      <Drawn size={16} stroke={1.75} aria-hidden />
    </span>
  );
}
