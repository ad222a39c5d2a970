/** The navigation: pages, the palette, whose project this is, and one's own menu. */

import { IconSearch } from "@tabler/icons-react";

import { runsAddress } from "./addresses";
import { PageLink } from "../components/page-link";
import { NAVIGATION } from "./navigation";
import { openPalette } from "./palette/opening";
import { useSession } from "./session";
import styles from "./side-navigation.module.css";
import { UserMenu } from "./user-menu";
import { WaitingBadge } from "./waiting-badge";

const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Brand() {
  return (
    <PageLink address={runsAddress()} className={styles.brand} aria-label="Runwell, go to the runs">
      <svg viewBox="0 0 32 32" width={22} height={22} aria-hidden>
        <rect width="32" height="32" rx="8" fill="var(--mantine-color-accent-6)" />
        <path
          d="M8 22V12a3 3 0 0 1 3-3h5a4 4 0 0 1 0 8h-4m4 0 6 6"
          fill="none"
          stroke="#fff"
          strokeWidth="3"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <circle cx="24" cy="10" r="2.5" fill="#fff" />
      </svg>
      Runwell
    </PageLink>
  );
}

export function SideNavigation() {
  const { permissions } = useSession();
  const entries = NAVIGATION.filter((entry) => !entry.needs || permissions.includes(entry.needs));
  return (
    <div className={styles.navigation}>
      <div className={styles.head}>
        <Brand />
      </div>
      <button type="button" className={styles.find} onClick={openPalette}>
        <IconSearch size={14} aria-hidden />
        <span>Go to anything</span>
        <kbd>{APPLE ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <nav aria-label="Pages" className={styles.pages}>
        {entries.map(({ label, to, icon: Icon, badge }) => (
          <PageLink key={to} address={{ to }} className={styles.page}>
            <Icon size={16} stroke={1.75} aria-hidden />
            {label}
            {badge && <WaitingBadge />}
          </PageLink>
        ))}
      </nav>
      <UserMenu />
    </div>
  );
}
