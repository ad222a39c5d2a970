/** What the server's process runs with, and where each value is from. It is changed by whoever runs the server. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { serverSettingsQuery, type ServerSetting } from "../../api/settings";
import { Trouble } from "../../components/trouble";
import { Section } from "./section";
import styles from "./settings.module.css";

const WORDS: Record<string, string> = {
  max_running: "Runs under way at once, of all projects",
  rate_limit: "Requests that one caller may send",
  max_body_bytes: "Largest request body, in bytes",
  grace_s: "How long steps may go on when the server ends, in seconds",
  sandbox_processes: "Processes for Python steps",
  http_allow: "Networks that http steps may reach beyond the internet",
  allowed_origins: "Other origins from which browsers may change things",
  base_path: "Path below which a proxy serves it",
  runstore_memory_mb: "Memory of the run store, in MB",
  runstore_threads: "Threads of one query to the run store",
  share_model_keys: "All organizations use the server's model keys",
  oidc_default_role: "Role of whoever signs in without an invitation",
};

export function ServerPart() {
  const { data, error, refetch } = useQuery(serverSettingsQuery);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  return (
    <Section
      title="Server"
      text="Read from the environment when the server starts, and the same for all projects. Directories, addresses and keys are not shown."
    >
      <div className={styles.scroll} tabIndex={0} role="group" aria-label="Server">
        <table className={styles.table} aria-busy={!data}>
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value, and where it is from</th>
            </tr>
          </thead>
          <tbody>{data ? data.data.map((setting) => <Row key={setting.name} setting={setting} />) : <Waiting />}</tbody>
        </table>
      </div>
    </Section>
  );
}

function Row({ setting }: { setting: ServerSetting }) {
  const isSet = setting.source === "environment";
  return (
    <tr>
      <th scope="row">
        {WORDS[setting.name] ?? setting.name}
        <small>
          <code>{setting.variable}</code>
        </small>
      </th>
      <td>
        {setting.value === null ? <span aria-label="none">-</span> : <bdi className={styles.value}>{setting.value}</bdi>}{" "}
        <span className={isSet ? `${styles.tag} ${styles.set}` : styles.tag}>{isSet ? "Environment" : "Default"}</span>
      </td>
    </tr>
  );
}

function Waiting() {
  return Array.from({ length: 8 }, (_, index) => (
    <tr key={index}>
      {[220, 90].map((width) => (
        <td key={width}>
          <Skeleton height={10} width={width} />
        </td>
      ))}
    </tr>
  ));
}
