/** The tools that an MCP server offers. */

import { Modal, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { toolsQuery, type Connection } from "../../api/connections";
import { InlineTrouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import styles from "./page.module.css";

export function ToolsShown({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { data, error, refetch } = useQuery(toolsQuery(connection.id));
  return (
    <Modal opened onClose={onClose} title={`Tools of ${connection.name}`} size="lg">
      {error ? (
        <InlineTrouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton height={120} />
      ) : data.data.length === 0 ? (
        "It offers no tools."
      ) : (
        <ul className={styles["tools-list"]}>
          {data.data.map((tool) => (
            <li key={tool.name}>
              <code>{oneLine(tool.name)}</code>
              {tool.description && (
                <small>
                  <bdi>{oneLine(tool.description).slice(0, 300)}</bdi>
                </small>
              )}
            </li>
          ))}
        </ul>
      )}
    </Modal>
  );
}
