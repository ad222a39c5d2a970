/** What the navigation leads to: one line a page. A page that does not exist yet has no line. Order is that of the screen. */

import {
  IconBellRinging,
  IconChartBar,
  IconFlask,
  IconGitBranch,
  IconListDetails,
  IconPlug,
  IconRobot,
  IconSettings,
  type Icon,
} from "@tabler/icons-react";

import type { Permission } from "../api/session";

export interface NavigationEntry {
  label: string;
  to: string;
  icon: Icon;
  /** Left out: whoever is signed in. */
  needs?: Permission;
  /** The key after `g` that leads there. */
  key: string;
  /** What is counted beside it. */
  badge?: "tasks";
}

export const NAVIGATION: NavigationEntry[] = [
  { label: "Command Center", to: "/command-center", icon: IconBellRinging, key: "c", badge: "tasks" },
  { label: "Runs", to: "/runs", icon: IconListDetails, key: "r" },
  { label: "Workflows", to: "/workflows", icon: IconGitBranch, key: "w" },
  { label: "Agents", to: "/agents", icon: IconRobot, key: "a" },
  { label: "Playground", to: "/playground", icon: IconFlask, needs: "workflow:run", key: "p" },
  { label: "Analytics", to: "/analytics", icon: IconChartBar, key: "y" },
  { label: "Connections", to: "/connections", icon: IconPlug, key: "n" },
  { label: "Settings", to: "/settings", icon: IconSettings, key: "s" },
];
