/** A moment, in the time zone that was chosen; the whole of it on hover. */

import { usePreferences } from "../app/preferences";
import { useNow } from "../app/now";
import { ago, clockTime, fullMoment, shortMoment } from "../model/time";

interface Props {
  at: string | null | undefined;
  /** `short`: as little as tells it apart. `ago`: how long ago. `full`, `clock` (with ms): always the same. */
  as?: "short" | "ago" | "full" | "clock";
}

export function Moment({ at, as = "short" }: Props) {
  const { timeZone } = usePreferences();
  const now = useNow(as === "ago" ? 10_000 : 60_000);
  if (!at) return <span aria-label="none">-</span>;
  const full = fullMoment(at, timeZone);
  const zone = timeZone === "local" ? "" : ` ${timeZone}`;
  const text =
    as === "full" ? full : as === "ago" ? ago(at, now) : as === "clock" ? clockTime(at, timeZone, true) : shortMoment(at, now, timeZone);
  return (
    <time dateTime={at} title={`${full}${zone} (${ago(at, now)})`}>
      {text}
    </time>
  );
}
