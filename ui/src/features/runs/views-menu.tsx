/** Saved views: searches that are kept, with their columns. */

import { ActionIcon, Button, Checkbox, Menu, Modal, TextInput } from "@mantine/core";
import { IconBookmark, IconPlus, IconStarFilled, IconTrash, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";

import { createView, deleteView, viewKeys, viewsQuery, type SavedView } from "../../api/views";
import { useMay } from "../../app/session";
import { InlineTrouble } from "../../components/trouble";
import { asQuery, readChoices, type RunChoices } from "../../model/run-choices";
import type { ChangeChoices } from "./runs-list";
import styles from "./views-menu.module.css";

interface Props {
  choices: RunChoices;
  onChange: ChangeChoices;
}

export function ViewsMenu({ choices, onChange }: Props) {
  const views = useQuery(viewsQuery);
  const client = useQueryClient();
  const [saving, setSaving] = useState(false);
  const remove = useMutation({ mutationFn: deleteView, onSuccess: () => client.invalidateQueries({ queryKey: viewKeys.all }) });
  const now = asQuery(choices);
  const current = views.data?.find((view) => view.query === now && view.columns?.join() === choices.columns.join());
  const show = (view: SavedView, replace = false) =>
    onChange({ ...readChoices({}), rows: choices.rows, q: view.query ?? "", columns: view.columns ?? [] }, replace);
  useDefaultView(views.data, choices, (view) => show(view, true));
  return (
    <>
      <Menu position="bottom-end" offset={4} width={280}>
        <Menu.Target>
          <Button leftSection={<IconBookmark size={14} />}>{current?.name ?? "Views"}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{views.data?.length ? "Saved views" : "A view keeps a search and its columns"}</Menu.Label>
          {views.data?.map((view) => (
            <div key={view.id} className={styles.view} role="presentation">
              <Menu.Item leftSection={<Mark view={view} />} onClick={() => show(view)} title={view.query}>
                {view.name}
              </Menu.Item>
              <ActionIcon size={26} role="menuitem" aria-label={`Delete the view ${view.name}`} onClick={() => remove.mutate(view.id)}>
                <IconTrash size={14} />
              </ActionIcon>
            </div>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconPlus size={14} />} onClick={() => setSaving(true)}>
            Save what is shown now
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {saving && <SaveView query={now} columns={choices.columns} onClose={() => setSaving(false)} onSaved={show} />}
    </>
  );
}

function Mark({ view }: { view: SavedView }) {
  if (view.default) return <IconStarFilled size={14} aria-label="Your default" />;
  return view.visibility === "shared" ? <IconUsers size={14} aria-label="Shared" /> : <IconBookmark size={14} aria-hidden />;
}

/** Lists begin with one's default view, unless the address says what to show. */
function useDefaultView(views: SavedView[] | undefined, choices: RunChoices, show: (view: SavedView) => void): void {
  const began = useRef(false);
  useEffect(() => {
    if (began.current || !views) return;
    began.current = true;
    const view = views.find((each) => each.default);
    if (view && asQuery(choices) === "" && choices.columns.length === 0 && !choices.cursor) show(view);
  });
}

interface SaveProps {
  query: string;
  columns: string[];
  onClose: () => void;
  onSaved: (view: SavedView) => void;
}

function SaveView({ query, columns, onClose, onSaved }: SaveProps) {
  const client = useQueryClient();
  const mayShare = useMay("workflow:write");
  const [name, setName] = useState("");
  const [isShared, setShared] = useState(false);
  const [isDefault, setDefault] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      createView({ name: name.trim(), query, columns, sort: [], visibility: isShared ? "shared" : "private", default: isDefault }),
    onSuccess: async (view) => {
      await client.invalidateQueries({ queryKey: viewKeys.all });
      onSaved(view);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Save this view">
      <form onSubmit={submit} className={styles.form}>
        <TextInput
          label="Name"
          required
          maxLength={100}
          data-autofocus
          placeholder="Failed refunds"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div>
          <span className={styles.label}>Search</span>
          <code className={styles.query}>{query || "all runs of the last 7 days"}</code>
        </div>
        <Checkbox
          checked={isShared}
          disabled={!mayShare}
          label="Show it to everybody in the project"
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        <Checkbox checked={isDefault} label="Begin my lists with it" onChange={(event) => setDefault(event.currentTarget.checked)} />
        <InlineTrouble error={save.error} />
        <Button type="submit" variant="filled" size="sm" loading={save.isPending}>
          Save
        </Button>
      </form>
    </Modal>
  );
}
