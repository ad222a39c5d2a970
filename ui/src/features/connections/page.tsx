/** Connections and secrets of the project: where something is reached, and with which credentials. */

import { Button, SegmentedControl } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { PageHeader } from "../../components/page-header";
import { firstOf } from "../../model/search-values";
import { ConnectionForm } from "./connection-form";
import { ConnectionList } from "./connection-list";
import styles from "./page.module.css";
import { NewSecret, SecretList } from "./secrets";

export function ConnectionsPage() {
  const [values, change] = useSearchValues();
  const may = useMay("admin");
  const secrets = firstOf(values["show"]) === "secrets";
  const [making, setMaking] = useState(false);
  return (
    <div className={styles.page}>
      <PageHeader
        title="Connections"
        text="Credentials are sealed, sent to their allowed origins only, and never shown again."
        actions={
          may && (
            <Button variant="filled" leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
              {secrets ? "New secret" : "New connection"}
            </Button>
          )
        }
      />
      <div className={styles.tools}>
        <SegmentedControl
          size="xs"
          aria-label="What is shown"
          value={secrets ? "secrets" : "connections"}
          onChange={(next) => change((now) => ({ ...now, show: next === "secrets" ? "secrets" : undefined }))}
          data={[
            { value: "connections", label: "Connections" },
            { value: "secrets", label: "Secrets" },
          ]}
        />
      </div>
      {secrets ? (
        <SecretList onNew={may ? () => setMaking(true) : undefined} />
      ) : (
        <ConnectionList onNew={may ? () => setMaking(true) : undefined} />
      )}
      {making && (secrets ? <NewSecret onClose={() => setMaking(false)} /> : <ConnectionForm onClose={() => setMaking(false)} />)}
    </div>
  );
}
