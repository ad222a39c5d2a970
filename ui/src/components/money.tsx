/** An amount of US dollars; all of its digits on hover. */

import { money } from "../model/money";

export function Money({ usd }: { usd: string | null | undefined }) {
  const none = !usd || Number(usd) === 0;
  return (
    <span className="numbers" title={none ? undefined : `$${usd}`} style={none ? { color: "var(--quiet)" } : undefined}>
      {money(usd)}
    </span>
  );
}
