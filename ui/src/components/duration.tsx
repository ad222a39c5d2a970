/** How long something took, or has taken so far. */

import { useNow } from "../app/now";
import { between, duration } from "../model/time";

interface Props {
  ms?: number | null;
  /** Of what has not ended: since when it runs. */
  since?: string | null;
}

export function Duration({ ms, since }: Props) {
  if (ms !== null && ms !== undefined) return <span className="numbers">{duration(ms)}</span>;
  return since ? <Ticking since={since} /> : <span aria-label="none">-</span>;
}

function Ticking({ since }: { since: string }) {
  const now = useNow(1_000);
  const ms = Math.max(0, between(since, now) ?? 0);
  return (
    <span className="numbers" style={{ color: "var(--quiet)" }}>
      {ms < 1000 ? "0 s" : duration(Math.floor(ms / 1000) * 1000)}
    </span>
  );
}
