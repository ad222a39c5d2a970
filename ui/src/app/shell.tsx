/** The frame of every page: navigation at the left (a drawer on small screens), the page beside it. */

import { ActionIcon, Drawer } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { Announcements } from "./announce";
import { Brand, SideNavigation } from "./side-navigation";
import { SessionGate } from "./session";
import styles from "./shell.module.css";
import { Shortcuts } from "./shortcuts";

export function Shell() {
  return (
    <>
      <Announcements />
      <SessionGate>
        <Frame />
      </SessionGate>
    </>
  );
}

function Frame() {
  const [opened, drawer] = useDisclosure(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const { close } = drawer;
  useEffect(close, [pathname, close]);
  return (
    <div className={styles.frame}>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <aside className={styles.side}>
        <SideNavigation />
      </aside>
      <nav className={styles.bar} aria-label="Top">
        <ActionIcon size={36} aria-label="Open the navigation" aria-expanded={opened} onClick={drawer.open}>
          <IconMenu2 size={20} />
        </ActionIcon>
        <Brand />
      </nav>
      {opened && (
        <Drawer.Root opened onClose={close} size={260} padding={0} classNames={{ content: styles.drawer }}>
          <Drawer.Overlay backgroundOpacity={0.35} />
          <Drawer.Content aria-label="Navigation">
            <SideNavigation />
          </Drawer.Content>
        </Drawer.Root>
      )}
      <main ref={main} className={styles.main} tabIndex={-1} id="main">
        <Outlet />
      </main>
      <Shortcuts />
    </div>
  );
}
