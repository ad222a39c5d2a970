/** Makes an evaluator: a model with a rubric, or a piece of Python. It never changes, so that scores stay comparable. */

import { Button, Group, Modal, NumberInput, SegmentedControl, Stack, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { createEvaluator, evaluationKeys } from "../../api/evaluations";
import { announce } from "../../app/announce";
import { ModelField } from "../../components/model-field";
import { InlineTrouble } from "../../components/trouble";

export function EvaluatorDialog({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState("judge");
  const [name, setName] = useState("");
  const [model, setModel] = useState("");
  const [rubric, setRubric] = useState("");
  const [code, setCode] = useState("output == expected");
  const [pass, setPass] = useState<number | null>(null);
  const known = useQueryClient();
  const isReady = name.trim() !== "" && (kind === "judge" ? model.trim() !== "" && rubric.trim() !== "" : code.trim() !== "");
  const making = useMutation({
    mutationFn: () =>
      createEvaluator({
        name: name.trim(),
        ...(kind === "judge" ? { judge: { model: model.trim(), rubric, params: {} } } : { code: { code } }),
        ...(pass === null ? {} : { pass_score: pass }),
      }),
    onSuccess: () => {
      announce("The evaluator is made");
      void known.invalidateQueries({ queryKey: evaluationKeys.evaluators });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="New evaluator" size={560}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate();
        }}
      >
        <Stack gap="md">
          <TextInput label="Name" withAsterisk value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
          <SegmentedControl
            size="xs"
            aria-label="Kind"
            value={kind}
            onChange={setKind}
            data={[
              { value: "judge", label: "A model with a rubric" },
              { value: "code", label: "Python" },
            ]}
          />
          {kind === "judge" ? (
            <>
              <ModelField value={model} onChange={setModel} withAsterisk />
              <Textarea
                label="Rubric"
                description="What a good answer is. {{ input.expected }} is what a dataset expects."
                withAsterisk
                autosize
                minRows={4}
                maxRows={16}
                value={rubric}
                onChange={(event) => setRubric(event.currentTarget.value)}
              />
            </>
          ) : (
            <Textarea
              label="Code"
              description="Has input, output, expected and metadata; gives a number, or true or false."
              withAsterisk
              autosize
              minRows={4}
              maxRows={16}
              spellCheck={false}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }}
            />
          )}
          <NumberInput
            label="Passes from"
            description="From this score on a run passes. Left empty, a score is no verdict."
            step={0.1}
            value={pass ?? ""}
            onChange={(next) => setPass(typeof next === "number" ? next : null)}
          />
          <InlineTrouble error={making.error} />
          <Group justify="flex-end" gap="xs">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="filled" type="submit" disabled={!isReady} loading={making.isPending}>
              Make the evaluator
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
