/** The left of the page: five ways to look at the run. */

import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

import { compact } from "../../../model/money";
import { firstOf } from "../../../model/search-values";
import { useRunPage } from "../run-page";
import { ContextTab } from "./context-tab";
import { CostTab } from "./cost-tab";
import { EventsTab } from "./events-tab";
import { TabList } from "./tab-list";
import { TABS, type TabId } from "./tab-names";
import styles from "./tabs.module.css";
import { TimelineTab } from "./timeline-tab";

const load = () => import("../graph/graph-tab");
const GraphTab = lazy(load);
void load(); // most people look at the graph: it comes beside the page, not after it

export function Tabs() {
  const { values, change, watched } = useRunPage();
  const chosen = TABS.find((tab) => tab.id === firstOf(values["tab"]))?.id ?? "graph";
  const tabs = TABS.map((tab) => ({ ...tab, mark: tab.id === "events" ? compact(watched.count) : undefined }));
  return (
    <>
      <TabList
        label="Ways to look at the run"
        name="run"
        tabs={tabs}
        chosen={chosen}
        onChoose={(id) => change({ tab: id === "graph" ? undefined : id })}
      />
      <div role="tabpanel" id="run-panel" aria-labelledby={`run-tab-${chosen}`} className={styles.panel}>
        <Suspense fallback={<Skeleton height="100%" radius={0} />}>
          <Shown tab={chosen} />
        </Suspense>
      </div>
    </>
  );
}

function Shown({ tab }: { tab: TabId }) {
  switch (tab) {
    case "timeline":
      return <TimelineTab />;
    case "events":
      return <EventsTab />;
    case "context":
      return <ContextTab />;
    case "cost":
      return <CostTab />;
    default:
      return <GraphTab />;
  }
}
