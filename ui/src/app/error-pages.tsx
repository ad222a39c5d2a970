/** What stands in place of a page that is not there, or that failed. */

import { Button } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import type { ErrorComponentProps } from "@tanstack/react-router";

import { EmptyState } from "../components/empty-state";
import { PageLink } from "../components/page-link";
import { Trouble } from "../components/trouble";
import { runsAddress } from "./addresses";
import { useTitle } from "./title";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <EmptyState
      page
      icon={<IconSearchOff />}
      title="There is no such page"
      text="The address may be mistyped, or the page belongs to something that was deleted."
      action={<Button renderRoot={(props: object) => <PageLink address={runsAddress()} {...props} />}>Go to the runs</Button>}
    />
  );
}

export function FailedPage({ error, reset }: ErrorComponentProps) {
  useTitle("Failed");
  return <Trouble page error={error} onRetry={reset} />;
}
