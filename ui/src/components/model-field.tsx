/** Which model: one of those that can be had here, or any other by its name. */

import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { modelsQuery } from "../api/models";

export function ModelField({ value, onChange, ...rest }: Omit<AutocompleteProps, "data" | "size">) {
  const { data } = useQuery(modelsQuery);
  // What stands there is chosen: the list shows all of them until something else is typed.
  const known = data ?? [];
  return (
    <Autocomplete
      label="Model"
      placeholder="provider:model"
      size="sm"
      data={known}
      value={value}
      onChange={onChange}
      filter={({ options, search }) =>
        known.includes(search)
          ? options
          : options.filter((each) => "value" in each && each.value.toLowerCase().includes(search.toLowerCase()))
      }
      maxDropdownHeight={280}
      spellCheck={false}
      comboboxProps={{ withinPortal: false }}
      {...rest}
    />
  );
}
