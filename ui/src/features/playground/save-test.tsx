/** Keeps an input, and what is expected of it, as a row of a dataset. */

import { Autocomplete, Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { addRows, createDataset, datasetKeys, datasetsQuery } from "../../api/datasets";
import { announce } from "../../app/announce";
import { JsonField } from "../../components/input-editor";
import { InlineTrouble } from "../../components/trouble";

interface Props {
  /** What a new dataset is called at first. */
  name: string;
  input: unknown;
  output: unknown;
  onClose: () => void;
}

export function SaveTest({ name: suggested, input, output, onClose }: Props) {
  const { data } = useQuery(datasetsQuery);
  const [typed, setName] = useState<string | null>(null);
  const [expects, setExpects] = useState(true);
  const [expected, setExpected] = useState(output);
  const [fault, setFault] = useState<string | null>(null);
  const known = useQueryClient();
  const sets = data?.data ?? [];
  const name = typed ?? sets[0]?.name ?? `${suggested}-tests`;
  const found = sets.find((each) => each.name === name.trim());
  const saving = useMutation({
    mutationFn: async () => {
      const row = { input, metadata: {}, ...(expects ? { expected } : {}) };
      if (found) await addRows(found.id, [row]);
      else await createDataset({ name: name.trim(), description: "", rows: [row] });
    },
    onSuccess: () => {
      announce("Saved as a test");
      void known.invalidateQueries({ queryKey: datasetKeys.all });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Save as a test">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        {saving.isSuccess ? (
          <Stack gap="md">
            <Text fz={14}>The input is now a row of the dataset {name.trim()}. Experiments can try variants on it.</Text>
            <Group justify="flex-end">
              <Button variant="filled" onClick={onClose} data-autofocus>
                Done
              </Button>
            </Group>
          </Stack>
        ) : (
          <Stack gap="md">
            <Autocomplete
              label="Dataset"
              description={found ? `Has ${found.rows ?? 0} rows. This becomes one more.` : "A new dataset of this name is made."}
              size="sm"
              data={sets.map((each) => each.name)}
              value={name}
              onChange={setName}
              filter={({ options }) => options}
              comboboxProps={{ withinPortal: false }}
              data-autofocus
            />
            <Checkbox
              label="This answer is what is expected"
              checked={expects}
              onChange={(event) => setExpects(event.currentTarget.checked)}
            />
            {expects && <JsonField label="Expected" shown minRows={2} value={expected} onChange={setExpected} onFault={setFault} />}
            <InlineTrouble error={saving.error} />
            <Group justify="flex-end" gap="xs">
              <Button onClick={onClose}>Cancel</Button>
              <Button variant="filled" type="submit" loading={saving.isPending} disabled={fault !== null || !name.trim()}>
                Save test
              </Button>
            </Group>
          </Stack>
        )}
      </form>
    </Modal>
  );
}
