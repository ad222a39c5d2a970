/** The whole page of a list of runs: head, search, filters, table, pages. All choices are in the address. */

import { Button } from "@mantine/core";
import { IconArrowUp, IconChecklist, IconFilterOff, IconPlayerPlay, IconZoomExclamation } from "@tabler/icons-react";
import { useEffect, useRef, useState, type ReactNode } from "react";

import type { RunScope, RunSummary } from "../../api/runs";
import { Problem } from "../../api/problem";
import type { Address } from "../../app/addresses";
import { announce } from "../../app/announce";
import { useSearchValues } from "../../app/search";
import { EmptyState } from "../../components/empty-state";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { Trouble } from "../../components/trouble";
import { count, plural } from "../../model/money";
import { choose, hasFilters, readChoices, withoutFilters, writeChoices, type RunChoices } from "../../model/run-choices";
import { isEmpty, NONE, type Selection } from "../../model/selection";
import { workflowsAddress } from "../../app/addresses";
import { BulkBar } from "./bulk-bar";
import { ColumnChooser } from "./column-chooser";
import { FilterMenus, StatusFacets } from "./filter-bar";
import { Pager } from "./pager";
import styles from "./runs-list.module.css";
import { RunsTable } from "./runs-table";
import { SearchBox } from "./search-box";
import { useCounts, useRuns } from "./use-runs";
import { ViewsMenu } from "./views-menu";

interface Props {
  scope: RunScope;
  title: string;
  above?: ReactNode;
  addressOf: (run: RunSummary) => Address;
  /** Between the head and the search, as the tabs of an agent. */
  below?: ReactNode;
}

export function RunsList({ scope, title, above, addressOf, below }: Props) {
  const [choices, change] = useRunChoices();
  const { page, rows, news, newsMost, showNews, behind } = useRuns(scope, choices);
  const counts = useCounts(scope, choices);
  const [selection, setSelection] = useSelection(choices);
  const searchFault = page.error instanceof Problem && page.error.status === 422 ? page.error : null;
  useNews(news);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (list.current) list.current.scrollTop = 0;
  }, [choices.cursor]);
  return (
    <div className={styles.page}>
      <PageHeader
        title={title}
        above={above}
        mark={counts.total !== undefined && !page.error && <span className={styles.count}>{count(counts.total)}</span>}
        actions={
          <>
            <ViewsMenu choices={choices} onChange={change} />
            <ColumnChooser columns={choices.columns} onChange={(columns) => change({ columns }, true)} />
          </>
        }
      />
      {below}
      <div className={styles.tools}>
        <div className={styles.row}>
          <SearchBox text={choices.q} problem={searchFault} onSearch={(q) => change({ q })} />
          <FilterMenus scope={scope} choices={choices} counts={counts} onChange={change} />
        </div>
        <div className={styles.facets}>
          <StatusFacets choices={choices} counts={counts} onChange={change} />
          {news > 0 && (
            <Button variant="filled" className={styles.news} leftSection={<IconArrowUp size={14} />} onClick={() => void showNews()}>
              {news >= newsMost ? `${newsMost}+ new runs` : plural(news, "new run")}
            </Button>
          )}
        </div>
      </div>
      <div className={styles.list} ref={list}>
        {behind !== undefined && behind > BEHIND_MS && (
          <p className={styles.behind}>The list may lack what happened in the last {Math.ceil(behind / 1000)} s.</p>
        )}
        {page.error && !searchFault ? (
          <Trouble error={page.error} what="workflow" onRetry={() => void page.refetch()} />
        ) : searchFault && rows.length === 0 ? (
          <EmptyState icon={<IconZoomExclamation />} title="The search cannot be read" text="What is wrong with it stands below it." />
        ) : page.isSuccess && rows.length === 0 ? (
          <Nothing choices={choices} onChange={change} />
        ) : (
          <RunsTable
            rows={rows}
            columns={choices.columns}
            isLoading={page.isPending}
            isOld={page.isPlaceholderData || searchFault !== null}
            selection={selection}
            onSelect={setSelection}
            addressOf={addressOf}
          />
        )}
      </div>
      {!isEmpty(selection) && (
        <BulkBar
          scope={scope}
          choices={choices}
          rows={rows}
          total={counts.total}
          selection={selection}
          onSelect={setSelection}
          onDone={() => void showNews()}
        />
      )}
      {(rows.length > 0 || choices.cursor) && (
        <Pager page={page.data} rows={choices.rows} shown={rows.length} total={counts.total} isFirst={!choices.cursor} onChange={change} />
      )}
    </div>
  );
}

const BEHIND_MS = 3_000; // less is nothing that anybody could notice

export type ChangeChoices = (change: Partial<RunChoices>, replace?: boolean) => void;

function useRunChoices(): [RunChoices, ChangeChoices] {
  const [values, setValues] = useSearchValues();
  const change: ChangeChoices = (part, replace = false) =>
    setValues((before) => writeChoices(choose(readChoices(before), part)), { replace });
  return [readChoices(values), change];
}

/** A selection is of one list: another list begins without. */
function useSelection(choices: RunChoices): [Selection, (selection: Selection) => void] {
  const about = JSON.stringify({ ...choices, columns: [], cursor: null, rows: 0 });
  const [kept, setKept] = useState({ about, selection: NONE });
  return [kept.about === about ? kept.selection : NONE, (selection) => setKept({ about, selection })];
}

/** Whoever cannot see the button hears of it, but not for every single run. */
function useNews(news: number): void {
  const told = useRef(0);
  useEffect(() => {
    if (news > 0 && told.current === 0) announce("There are new runs.");
    told.current = news;
  }, [news]);
}

function Nothing({ choices, onChange }: { choices: RunChoices; onChange: ChangeChoices }) {
  if (hasFilters(choices) || choices.cursor) {
    return (
      <EmptyState
        icon={<IconFilterOff />}
        title="No run matches"
        text="Widen the time, or take a filter away."
        action={
          <>
            <Button onClick={() => onChange(withoutFilters(choices))}>Clear all filters</Button>
            {!choices.from && <Button onClick={() => onChange({ from: "-90d" })}>Look at the last 90 days</Button>}
          </>
        }
      />
    );
  }
  return (
    <EmptyState
      icon={<IconPlayerPlay />}
      title="No runs in the last 7 days"
      text="Every run of a workflow or agent is kept here, with its input, its steps and what it cost."
      action={
        <>
          <Button
            variant="filled"
            leftSection={<IconChecklist size={14} />}
            renderRoot={(props: object) => <PageLink address={workflowsAddress()} {...props} />}
          >
            Go to the workflows
          </Button>
          <Button onClick={() => onChange({ from: "1970-01-01" })}>Look at all time</Button>
        </>
      }
    />
  );
}
