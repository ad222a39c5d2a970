/** One variant: what of it differs, and what came of it. */

import { ActionIcon, Menu, NativeSelect, NumberInput, Textarea, TextInput, UnstyledButton } from "@mantine/core";
import { IconChevronRight, IconCopyPlus, IconDots, IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import type { Version } from "../../api/versions";
import type { Workflow } from "../../api/workflows";
import { ModelField } from "../../components/model-field";
import { modelSteps, nameOf, paramsOf, withParam, type Outcome, type VariantDraft } from "../../model/playground";
import { OutcomeView } from "./outcome-view";
import { useDocument } from "./use-source";
import styles from "./variant-card.module.css";

/** What the variant is a change of. */
export interface Known {
  workflow: Workflow | null;
  versions: Version[];
  step: string | null;
  model: string;
  instructions: string;
  params: Record<string, unknown>;
}

interface Props {
  variant: VariantDraft;
  at: number;
  known: Known;
  outcome: Outcome | undefined;
  since: string | null;
  before: string | null;
  isQuickest: boolean;
  isCheapest: boolean;
  input: unknown;
  isOnly: boolean;
  onChange: (part: Partial<VariantDraft>) => void;
  onDuplicate: (() => void) | null;
  onRemove: () => void;
}

export function VariantCard(props: Props) {
  const { variant, at, known, isOnly, onChange, onDuplicate, onRemove } = props;
  const document = useDocument(known.workflow, variant.version);
  const steps = modelSteps(document);
  const step = steps.find((each) => each.id === known.step) ?? steps[0];
  const model = variant.model ?? step?.model ?? known.model;
  const instructions = variant.instructions ?? step?.instructions ?? known.instructions;
  const params = { ...(step?.params ?? known.params), ...paramsOf(variant.params).value };
  const name = nameOf(variant, at);
  const setParam = (param: string, value: number | string) => {
    const base = (step?.params ?? known.params)[param];
    const wanted = typeof value === "number" ? value : base === undefined ? undefined : null;
    onChange({ params: withParam(variant.params, param, wanted === base ? undefined : wanted) });
  };
  const numberOf = (param: string) => (typeof params[param] === "number" ? params[param] : "");
  return (
    <article className={styles.card} aria-label={name}>
      <header className={styles.head}>
        <TextInput
          variant="unstyled"
          aria-label={`Name of variant ${at + 1}`}
          placeholder={nameOf({ name: "" }, at)}
          value={variant.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
          classNames={{ root: styles.name, input: styles.nameInput }}
        />
        {known.versions.length > 0 && (
          <NativeSelect
            size="xs"
            aria-label={`Version of ${name}`}
            value={variant.version === null ? "" : String(variant.version)}
            onChange={(event) => onChange({ version: event.currentTarget.value === "" ? null : Number(event.currentTarget.value) })}
            data={[
              { value: "", label: "Active version" },
              ...known.versions.map((each) => ({ value: String(each.number), label: `Version ${each.number}` })),
            ]}
          />
        )}
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`More for ${name}`}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconCopyPlus size={14} />} disabled={!onDuplicate} onClick={() => onDuplicate?.()}>
              Duplicate
            </Menu.Item>
            <Menu.Item leftSection={<IconTrash size={14} />} disabled={isOnly} onClick={onRemove}>
              Remove
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </header>
      <div className={styles.fields}>
        <ModelField
          value={model}
          onChange={(next) => onChange({ model: next === (step?.model ?? known.model) ? null : next })}
          error={model.trim() ? undefined : "Choose a model"}
        />
        <Textarea
          label="Instructions"
          autosize
          minRows={3}
          maxRows={12}
          value={instructions}
          onChange={(event) => {
            const next = event.currentTarget.value;
            onChange({ instructions: next === (step?.instructions ?? known.instructions) ? null : next });
          }}
        />
        <div className={styles.pair}>
          <NumberInput
            label="Temperature"
            min={0}
            max={2}
            step={0.1}
            placeholder="Usual"
            value={numberOf("temperature")}
            onChange={(next) => setParam("temperature", next)}
          />
          <NumberInput
            label="Max tokens"
            min={1}
            step={100}
            allowDecimal={false}
            placeholder="Usual"
            value={numberOf("max_tokens")}
            onChange={(next) => setParam("max_tokens", next)}
          />
        </div>
        <More variant={variant} prompt={known.workflow ? (step?.prompt ?? "") : null} onChange={onChange} />
      </div>
      <OutcomeView {...props} name={name} step={steps.length > 1 ? step?.id : undefined} />
    </article>
  );
}

interface MoreProps {
  variant: VariantDraft;
  /** Null: there is none to change. */
  prompt: string | null;
  onChange: (part: Partial<VariantDraft>) => void;
}

function More({ variant, prompt, onChange }: MoreProps) {
  const [open, setOpen] = useState(Boolean(variant.prompt));
  const { fault } = paramsOf(variant.params);
  return (
    <div>
      <UnstyledButton className={styles.more} aria-expanded={open || fault !== null} onClick={() => setOpen(!open)}>
        <IconChevronRight size={14} aria-hidden />
        {prompt === null ? "All parameters" : "Prompt and all parameters"}
      </UnstyledButton>
      {(open || fault !== null) && (
        <div className={styles.moreFields}>
          {prompt !== null && (
            <Textarea
              label="Prompt"
              autosize
              minRows={2}
              maxRows={12}
              value={variant.prompt ?? prompt}
              onChange={(event) => onChange({ prompt: event.currentTarget.value === prompt ? null : event.currentTarget.value })}
              classNames={{ input: styles.code }}
            />
          )}
          <Textarea
            label="Parameters"
            description="As JSON, over the version's own. Null leaves one out."
            placeholder='{"temperature": 0}'
            autosize
            minRows={1}
            spellCheck={false}
            value={variant.params}
            error={fault}
            onChange={(event) => onChange({ params: event.currentTarget.value })}
            classNames={{ input: styles.code }}
          />
        </div>
      )}
    </div>
  );
}
