/** Which version an agent's runs start with, in few words. */

import styles from "./agents.module.css";

interface Props {
  agent: { active_version: number | null; latest_version: number | null; unpublished_changes?: boolean };
}

export function VersionMark({ agent: { active_version, latest_version, unpublished_changes } }: Props) {
  if (active_version === null) return <span className={styles.mark}>{latest_version === null ? "Not published" : "None active"}</span>;
  const newer = latest_version !== null && latest_version > active_version;
  return (
    <span className={styles.mark} data-active>
      Version {active_version}
      {newer ? `, newest is ${latest_version}` : unpublished_changes ? ", draft has changes" : ""}
    </span>
  );
}
