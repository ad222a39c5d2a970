/** How much the project may have going on at once. */

import { Button, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { limitsQuery, putLimits, serverSettingsQuery, settingKeys, type Limits } from "../../api/settings";
import { announce } from "../../app/announce";
import { useMay, useSession } from "../../app/session";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { readWhole } from "../../model/settings";
import { Section, Source } from "./section";
import styles from "./settings.module.css";

export function LimitsPart() {
  const { data, error, refetch } = useQuery(limitsQuery);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  return (
    <Section
      title="Limits"
      text="How much this project may have going on at once. They hold at once for what begins later, and end nothing that runs."
    >
      {data ? <Form key={data.tag} limits={data.value} tag={data.tag} /> : <Skeleton height={180} maw={420} />}
    </Section>
  );
}

function Form({ limits, tag }: { limits: Limits; tag: string }) {
  const client = useQueryClient();
  const may = useMay("admin");
  const [running, setRunning] = useState(String(limits.max_running ?? ""));
  const [queued, setQueued] = useState(String(limits.max_queued ?? ""));
  const [faults, setFaults] = useState<{ running?: string; queued?: string }>({});
  const save = useMutation({
    mutationFn: putLimits,
    onSuccess: () => {
      announce("Saved");
      return client.invalidateQueries({ queryKey: settingKeys.limits });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [first, second] = [readWhole(running), readWhole(queued)];
    setFaults({ running: first.fault, queued: second.fault });
    if (!first.fault && !second.fault) save.mutate({ value: { max_running: first.value, max_queued: second.value }, tag });
  };
  const changed = running !== String(limits.max_running ?? "") || queued !== String(limits.max_queued ?? "");
  return (
    <form className={styles.fields} onSubmit={submit}>
      <div>
        <TextInput
          label="Runs that work at the same time"
          description="The excess is queued. Runs that wait for a person, a message or time do not count."
          placeholder="No limit of its own"
          inputMode="numeric"
          value={running}
          onChange={(event) => setRunning(event.currentTarget.value)}
          error={faults.running}
          disabled={!may}
        />
        <Source>{limits.max_running === null || limits.max_running === undefined ? <ServersOwn /> : "Set for this project."}</Source>
      </div>
      <div>
        <TextInput
          label="Runs that may be queued"
          description="A start beyond is refused with 429."
          placeholder="No limit"
          inputMode="numeric"
          value={queued}
          onChange={(event) => setQueued(event.currentTarget.value)}
          error={faults.queued}
          disabled={!may}
        />
        <Source>
          {limits.max_queued === null || limits.max_queued === undefined ? "Not set: as many as come." : "Set for this project."}
        </Source>
      </div>
      <InlineTrouble error={save.error} />
      <div className={styles.end}>
        <Button type="submit" variant="filled" disabled={!changed || !may} loading={save.isPending}>
          Save
        </Button>
        {!changed && save.isSuccess && <Source>Saved.</Source>}
      </div>
    </form>
  );
}

/** What holds where the project says nothing. */
function ServersOwn() {
  const { permissions } = useSession();
  const { data } = useQuery({ ...serverSettingsQuery, enabled: permissions.includes("organization") });
  const setting = data?.data.find((each) => each.name === "max_running");
  if (!setting) return <>Not set: the server's own limit holds.</>;
  return (
    <>
      Not set: the server's own limit of {setting.value} holds, from{" "}
      {setting.source === "environment" ? (
        <>
          its environment (<code>{setting.variable}</code>)
        </>
      ) : (
        "its default"
      )}
      .
    </>
  );
}
