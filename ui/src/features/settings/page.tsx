/** Settings: of this browser, and of the project and organization as far as one may. Each part has an address. */

import { Navigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef, type ComponentType } from "react";

import type { Permission } from "../../api/session";
import { settingsAddress } from "../../app/addresses";
import { useSession } from "../../app/session";
import { EmptyState } from "../../components/empty-state";
import { PageHeader } from "../../components/page-header";
import { PageLink } from "../../components/page-link";
import { IconLock, IconSearchOff } from "@tabler/icons-react";
import { BrowserPart } from "./browser";
import { KeysPart } from "./keys";
import { LimitsPart } from "./limits";
import { MembersPart } from "./members";
import { RetentionPart } from "./retention";
import { ServerPart } from "./server";
import styles from "./settings.module.css";

interface Part {
  id: string;
  label: string;
  shows: ComponentType;
  /** Left out: whoever is there. */
  needs?: Permission;
  /** Who may, in words. */
  who?: string;
}

const ORGANIZATION = "Admins of the organization may see this.";
const PROJECT = "Admins of the project may see this.";

const PARTS: Part[] = [
  { id: "browser", label: "This browser", shows: BrowserPart },
  { id: "members", label: "Members and roles", shows: MembersPart, needs: "organization", who: ORGANIZATION },
  { id: "keys", label: "API keys", shows: KeysPart, needs: "admin", who: PROJECT },
  { id: "limits", label: "Limits", shows: LimitsPart, needs: "admin", who: PROJECT },
  { id: "retention", label: "Retention", shows: RetentionPart, needs: "admin", who: PROJECT },
  { id: "server", label: "Server", shows: ServerPart, needs: "organization", who: ORGANIZATION },
];

export function SettingsPage() {
  const { part: id } = useParams({ strict: false }) as { part?: string };
  const { permissions, organization, project } = useSession();
  const part = PARTS.find((each) => each.id === id);
  const may = !part?.needs || permissions.includes(part.needs);
  const Shows = part?.shows;
  const links = useRef<HTMLElement>(null);
  useEffect(() => {
    links.current?.querySelector('[data-status="active"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [id]);
  if (id === undefined) return <Navigate to={settingsAddress("browser").to} replace />;
  return (
    <div className={styles.page}>
      <PageHeader title="Settings" text={`${project?.name ?? ""}, a project of ${organization.name}.`} />
      <div className={styles.columns}>
        <nav ref={links} aria-label="Settings" className={styles.parts}>
          {PARTS.map((each) => (
            <PageLink key={each.id} address={settingsAddress(each.id)} className={styles.part}>
              {each.label}
            </PageLink>
          ))}
        </nav>
        <div className={styles.body}>
          {!Shows ? (
            <EmptyState icon={<IconSearchOff />} title="There is no such part" />
          ) : may ? (
            <Shows />
          ) : (
            <EmptyState icon={<IconLock />} title="You may not see this" text={part.who} />
          )}
        </div>
      </div>
    </div>
  );
}
