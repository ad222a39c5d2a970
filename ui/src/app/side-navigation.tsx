/** The navigation: pages, the palette, whose project this is, and one's own menu. */

import { IconSearch } from "@tabler/icons-react";

import { Logo } from "../components/logo";
import { runsAddress } from "./addresses";
import { PageLink } from "../components/page-link";
import { NAVIGATION } from "./navigation";
import { openPalette } from "./palette/opening";
import { useSession } from "./session";
import styles from "./side-navigation.module.css";
import { UserMenu } from "./user-menu";

const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Brand() {
  return (
    <PageLink address={runsAddress()} className={styles.brand} aria-label="Runwell, go to the runs">
      <Logo />
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
        {entries.map(({ label, to, icon: Icon }) => (
          <PageLink key={to} address={{ to }} className={styles.page}>
            <Icon size={16} stroke={1.75} aria-hidden />
            {label}
          </PageLink>
        ))}
      </nav>
      <UserMenu />
    </div>
  );
}
