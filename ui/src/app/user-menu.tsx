/** Who is signed in, in which project, and what they chose for this browser. */

import { Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { IconChevronDown, IconKeyboard, IconLogout } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";

import { sessionKeys, signOut, switchProject } from "../api/session";
import { prefer, usePreferences } from "./preferences";
import { queryClient } from "./query-client";
import { useSession } from "./session";
import { openShortcuts } from "./shortcuts-opening";
import styles from "./user-menu.module.css";

const SCHEMES: { value: MantineColorScheme; label: string }[] = [
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
  { value: "auto", label: "As the system" },
];

export function UserMenu() {
  const session = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { timeZone } = usePreferences();
  const leave = useMutation({ mutationFn: signOut, onSuccess: forgetEverything });
  const move = useMutation({ mutationFn: switchProject, onSuccess: forgetEverything });
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [
    { value: "local", label: `This browser's (${own})` },
    { value: "UTC", label: "UTC" },
  ];
  return (
    <Menu width={252} position="top-start" offset={4}>
      <Menu.Target>
        <button type="button" className={styles.me}>
          <span className={styles.badge} aria-hidden>
            {(session.user?.name ?? session.organization.name).slice(0, 1).toUpperCase()}
          </span>
          <span className={styles.words}>
            <span>{session.user?.name ?? "Local user"}</span>
            <small>{session.project?.name ?? session.organization.name}</small>
          </span>
          <IconChevronDown size={14} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Project of {session.organization.name}</Menu.Label>
        <Choices
          value={session.project?.id ?? ""}
          options={session.projects.map(({ id, name, archived_at }) => ({ value: id, label: archived_at ? `${name} (archived)` : name }))}
          onChoose={(id) => session.user && move.mutate(id)}
        />
        <Menu.Divider />
        <Menu.Label>Colours</Menu.Label>
        <Choices value={colorScheme} options={SCHEMES} onChoose={(value) => setColorScheme(value as MantineColorScheme)} />
        <Menu.Divider />
        <Menu.Label>Times are shown in</Menu.Label>
        <Choices value={timeZone} options={zones} onChoose={(value) => prefer({ timeZone: value })} />
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={14} />} onClick={openShortcuts}>
          Keyboard shortcuts
        </Menu.Item>
        {session.user && (
          <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => leave.mutate()}>
            Sign out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

interface Option {
  value: string;
  label: string;
}

function Choices({ value, options, onChoose }: { value: string; options: Option[]; onChoose: (value: string) => void }) {
  return (
    <Menu.RadioGroup value={value} onChange={onChoose}>
      {options.map((option) => (
        <Menu.RadioItem key={option.value} value={option.value}>
          {option.label}
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}

/** What another identity may not see goes, and who is there is asked anew. */
function forgetEverything(): void {
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKeys.session[0] });
  void queryClient.resetQueries({ queryKey: sessionKeys.session });
}
