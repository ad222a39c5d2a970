/** Keys that work on every page, the list of all keys, and the palette. A page adds its keys with `useKeys`. */

import { Modal, Switch } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";

import { NAVIGATION } from "./navigation";
import { openPalette, palette } from "./palette/opening";
import { prefer, usePreferences } from "./preferences";
import { openShortcuts, shortcutsList } from "./shortcuts-opening";
import styles from "./shortcuts.module.css";
import { KEYS_OF_A_RUN, KEYS_OF_DECISIONS, KEYS_OF_LISTS, useKeys } from "./keys";

const Palette = lazy(() => import("./palette/palette"));

export function Shortcuts() {
  const listOpened = shortcutsList.useOpened();
  const paletteOpened = palette.useOpened();
  useGlobalKeys();
  return (
    <>
      {listOpened && <ShortcutsList />}
      {paletteOpened && (
        <Suspense fallback={null}>
          <Palette />
        </Suspense>
      )}
    </>
  );
}

function useGlobalKeys(): void {
  const navigate = useNavigate();
  const leading = useRef(0);
  useKeys({
    "?": openShortcuts,
    g: () => (leading.current = Date.now()),
    ...Object.fromEntries(
      NAVIGATION.map(({ key, to }) => [key, () => Date.now() - leading.current < 1_500 && void navigate({ to })] as const),
    ),
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      openPalette();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

const GENERAL: [string, string][] = [
  ["Ctrl K", "Go to anything, or paste an id"],
  ["?", "This list"],
  ["Esc", "Close what is open"],
];

function ShortcutsList() {
  const { singleKeys } = usePreferences();
  const pages = NAVIGATION.map(({ key, label }) => [`G ${key.toUpperCase()}`, label] as [string, string]);
  return (
    <Modal opened onClose={shortcutsList.close} title="Keyboard shortcuts" size="md">
      <Keys title="Everywhere" keys={GENERAL} />
      <Keys title="Go to" keys={pages} />
      <Keys title="In lists" keys={KEYS_OF_LISTS} />
      <Keys title="In the Command Center" keys={KEYS_OF_DECISIONS} />
      <Keys title="In a run" keys={KEYS_OF_A_RUN} />
      <Switch
        mt="md"
        checked={singleKeys}
        onChange={(event) => prefer({ singleKeys: event.currentTarget.checked })}
        label="Single keys do something"
        description="Switch them off if they get in the way of speech input or a screen reader."
      />
    </Modal>
  );
}

function Keys({ title, keys }: { title: string; keys: [string, string][] }) {
  return (
    <section className={styles.keys}>
      <h3>{title}</h3>
      <dl>
        {keys.map(([key, words]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
