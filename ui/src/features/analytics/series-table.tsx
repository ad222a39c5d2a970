/** What the chart shows, as a table: a link for each bar. Bars without anything are left out. */

import { usePreferences } from "../../app/preferences";
import { PageLink } from "../../components/page-link";
import type { Address } from "../../app/addresses";
import { sum, type Series } from "../../model/figures";
import { fullMoment } from "../../model/time";
import type { Bar } from "./over-time";
import styles from "./page.module.css";

interface Props {
  bars: readonly Bar[];
  series: readonly Series[];
  format: (n: number) => string;
  addressOf: (bar: Bar) => Address;
}

export function SeriesTable({ bars, series, format, addressOf }: Props) {
  const { timeZone } = usePreferences();
  const at = (index: number) => series.map((each) => each.values[index] ?? 0);
  const filled = bars.map((bar, index) => ({ bar, index })).filter(({ index }) => sum(at(index)) > 0);
  if (filled.length === 0) return <p className={styles.none}>There is nothing in this time.</p>;
  return (
    <div className={styles.scroll} tabIndex={0} role="group" aria-label="Over time, as a table">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map((each) => (
              <th key={each.label} scope="col" data-right>
                {each.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {filled.map(({ bar, index }) => (
            <tr key={bar.start}>
              <th scope="row">
                <PageLink address={addressOf(bar)}>{fullMoment(bar.start, timeZone)}</PageLink>
              </th>
              {series.map((each) => (
                <td key={each.label} data-right>
                  {format(each.values[index] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
