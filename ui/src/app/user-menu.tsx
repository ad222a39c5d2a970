/** Who is signed in, in which project, and what they chose for this browser. */

import { Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { IconCheck, IconChevronDown, IconDeviceDesktop, IconKeyboard, IconLogout, IconMoon, IconSun } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";

import { sessionKeys, signOut, switchProject } from "../api/session";
import { prefer, usePreferences } from "./preferences";
import { queryClient } from "./query-client";
import { useSession } from "./session";
import { openShortcuts } from "./shortcuts-opening";
import styles from "./user-menu.module.css";

const SCHEMES: { value: MantineColorScheme; label: string; icon: typeof IconSun }[] = [
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
  { value: "auto", label: "As the system", icon: IconDeviceDesktop },
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
        {session.projects.map((project) => (
          <Choice
            key={project.id}
            chosen={project.id === session.project?.id}
            label={project.archived_at ? `${project.name} (archived)` : project.name}
            onChoose={() => session.user && move.mutate(project.id)}
          />
        ))}
        <Menu.Divider />
        <Menu.Label>Colours</Menu.Label>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Choice
            key={value}
            chosen={colorScheme === value}
            label={label}
            icon={<Icon size={14} />}
            onChoose={() => setColorScheme(value)}
          />
        ))}
        <Menu.Divider />
        <Menu.Label>Times are shown in</Menu.Label>
        {zones.map(({ value, label }) => (
          <Choice key={value} chosen={timeZone === value} label={label} onChoose={() => prefer({ timeZone: value })} />
        ))}
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

interface ChoiceProps {
  chosen: boolean;
  label: string;
  icon?: React.ReactNode;
  onChoose: () => void;
}

function Choice({ chosen, label, icon, onChoose }: ChoiceProps) {
  return (
    <Menu.Item
      role="menuitemradio"
      aria-checked={chosen}
      leftSection={icon}
      rightSection={chosen ? <IconCheck size={14} aria-hidden /> : undefined}
      onClick={onChoose}
    >
      {label}
    </Menu.Item>
  );
}

/** What another identity may not see goes, and who is there is asked anew. */
function forgetEverything(): void {
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKeys.session[0] });
  void queryClient.resetQueries({ queryKey: sessionKeys.session });
}
