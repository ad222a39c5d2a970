/** What is kept in this browser alone. */

import { Select, SegmentedControl, Switch, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useMemo } from "react";

import { prefer, usePreferences } from "../../app/preferences";
import { useNow } from "../../app/now";
import { fullMoment, zoneName } from "../../model/time";
import { Section, Source } from "./section";
import styles from "./settings.module.css";

export function BrowserPart() {
  const { timeZone, singleKeys } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const now = useNow(1_000);
  const zones = useMemo(
    () => [
      { value: "local", label: `This browser's (${zoneName("local")})` },
      { value: "UTC", label: "UTC" },
      ...Intl.supportedValuesOf("timeZone")
        .filter((zone) => zone !== "UTC")
        .map((zone) => ({ value: zone, label: zone })),
    ],
    [],
  );
  return (
    <Section title="This browser" text="Kept in this browser, for whoever uses it.">
      <div className={styles.fields}>
        <Select
          label="Time zone"
          description="All times, days and charts of the console are in it."
          searchable
          allowDeselect={false}
          data={zones}
          value={timeZone}
          onChange={(zone) => zone && prefer({ timeZone: zone })}
          limit={100}
        />
        <Source>It is {fullMoment(now, timeZone)} there.</Source>
        <div>
          <div id="colours" style={{ marginBottom: 4, fontSize: 13, fontWeight: 500 }}>
            Colours
          </div>
          <SegmentedControl
            size="xs"
            aria-labelledby="colours"
            value={colorScheme}
            onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}
            data={[
              { value: "light", label: "Light" },
              { value: "dark", label: "Dark" },
              { value: "auto", label: "As the system" },
            ]}
          />
        </div>
        <Switch
          checked={singleKeys}
          onChange={(event) => prefer({ singleKeys: event.currentTarget.checked })}
          label="Single keys do something"
          description="Switch them off if they get in the way of speech input or a screen reader."
        />
      </div>
    </Section>
  );
}
