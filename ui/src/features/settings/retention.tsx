/** How long runs are kept, and what is held beyond. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { holdsQuery, retentionQuery } from "../../api/settings";
import { runAddress } from "../../app/addresses";
import { Moment } from "../../components/moment";
import { PageLink } from "../../components/page-link";
import { Trouble } from "../../components/trouble";
import { oneLine } from "../../model/safe-text";
import { RetentionForm } from "./retention-form";
import { Section } from "./section";
import styles from "./settings.module.css";

export function RetentionPart() {
  const { data, error, refetch } = useQuery(retentionQuery);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  return (
    <>
      <Section
        title="Retention"
        text="How long runs are kept once they have ended. What is over is deleted for good within an hour; held runs and those under way stay."
      >
        {data ? <RetentionForm key={data.tag} retention={data.value} tag={data.tag} /> : <Skeleton height={160} />}
      </Section>
      <Holds />
    </>
  );
}

function Holds() {
  const { data } = useQuery(holdsQuery);
  return (
    <Section title="Held" text="Runs and workflows that are kept until somebody lets go of them, whatever the rules say.">
      {!data ? (
        <Skeleton height={80} />
      ) : data.data.length === 0 ? (
        <p className={styles.none}>Nothing is held.</p>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label="Held">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Why</th>
                <th scope="col">Since</th>
              </tr>
            </thead>
            <tbody>
              {data.data.map((hold) => (
                <tr key={hold.run_id ?? hold.workflow_id}>
                  <th scope="row">
                    {hold.run_id ? (
                      <PageLink address={runAddress(hold.run_id)}>
                        <code>{hold.run_id}</code>
                      </PageLink>
                    ) : (
                      <>
                        The workflow <code>{hold.workflow_id}</code>
                      </>
                    )}
                  </th>
                  <td>
                    <bdi>{oneLine(hold.reason)}</bdi>
                  </td>
                  <td>
                    <Moment at={hold.at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
