/**
 * What somebody may change before approving, as fields of a form.
 *
 * A task may say by a JSON Schema what an edit looks like; otherwise whatever was proposed may be changed. Objects are opened
 * into their fields, down to three levels; what no simple field can hold is edited as JSON.
 */

export type FieldKind = "text" | "long" | "number" | "truth" | "choice" | "json";

export interface Field {
  path: string[];
  label: string;
  kind: FieldKind;
  required: boolean;
  description?: string;
  choices?: string[];
  whole?: boolean;
}

export type Drafts = Record<string, string | boolean>;

type Json = Record<string, unknown>;
type Schema = Json;

const DEEPEST = 3;
const LONG = 60;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Return what of the proposal may be edited. */
export function editableOf(payload: unknown, schema: Schema | null | undefined): Json {
  if (!isObject(payload)) return {};
  if (!schema) return payload;
  const known = propertiesOf(schema);
  return Object.fromEntries(Object.entries(payload).filter(([name]) => name in known));
}

export function fieldsOf(value: Json, schema: Schema | null | undefined): Field[] {
  return fieldsBelow([], value, schema ?? null, 1);
}

function fieldsBelow(path: string[], value: Json, schema: Schema | null, level: number): Field[] {
  const known = schema ? propertiesOf(schema) : {};
  const required = schema ? requiredOf(schema) : new Set<string>();
  const names = [...new Set([...Object.keys(known), ...Object.keys(value)])];
  return names.flatMap((name) => {
    const here = [...path, name];
    const now = value[name];
    const its = isObject(known[name]) ? (known[name] as Schema) : null;
    const opens = isObject(now) || (now === undefined && its !== null && Object.keys(propertiesOf(its)).length > 0);
    if (opens && level < DEEPEST && Object.keys({ ...(isObject(now) ? now : {}), ...(its ? propertiesOf(its) : {}) }).length > 0) {
      return fieldsBelow(here, isObject(now) ? now : {}, its, level + 1);
    }
    return [{ path: here, label: here.join(" / "), required: required.has(name), ...kindOf(now, its) }];
  });
}

function kindOf(value: unknown, schema: Schema | null): Pick<Field, "kind" | "choices" | "whole" | "description"> {
  const description = typeof schema?.["description"] === "string" ? { description: schema["description"] } : {};
  const choices = schema?.["enum"];
  if (Array.isArray(choices) && choices.every((each) => typeof each === "string")) {
    return { kind: "choice", choices: choices as string[], ...description };
  }
  const type = schema?.["type"];
  const said = typeof type === "string" ? type : undefined;
  if (said === "boolean" || (said === undefined && typeof value === "boolean")) return { kind: "truth", ...description };
  if (said === "integer") return { kind: "number", whole: true, ...description };
  if (said === "number" || (said === undefined && typeof value === "number")) return { kind: "number", ...description };
  if (said === "string" || (said === undefined && typeof value === "string")) {
    const long = typeof value === "string" && (value.length > LONG || value.includes("\n"));
    return { kind: long ? "long" : "text", ...description };
  }
  return { kind: "json", ...description };
}

/** Properties of the schema and of all that it must hold for, too. */
function propertiesOf(schema: Schema): Json {
  const own = isObject(schema["properties"]) ? schema["properties"] : {};
  const all = Array.isArray(schema["allOf"]) ? schema["allOf"].filter(isObject) : [];
  return Object.assign({}, ...all.map(propertiesOf), own) as Json;
}

function requiredOf(schema: Schema): Set<string> {
  const own = Array.isArray(schema["required"]) ? (schema["required"] as string[]) : [];
  const all = Array.isArray(schema["allOf"]) ? schema["allOf"].filter(isObject) : [];
  return new Set([...own, ...all.flatMap((each) => [...requiredOf(each)])]);
}

export const keyOf = (field: Field): string => JSON.stringify(field.path);

export function draftsOf(fields: readonly Field[], value: Json): Drafts {
  return Object.fromEntries(fields.map((field) => [keyOf(field), draftOf(field, at(value, field.path))]));
}

function draftOf(field: Field, value: unknown): string | boolean {
  if (field.kind === "truth") return value === true;
  if (value === undefined) return "";
  return typeof value === "string" && field.kind !== "json" ? value : JSON.stringify(value, null, field.kind === "json" ? 2 : 0);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((here, name) => (isObject(here) ? here[name] : undefined), value);
}

export interface Edit {
  /** The whole of what may be edited, as it is to be; null when nothing was changed. */
  result: Json | null;
  /** What is wrong, by the key of the field. */
  faults: Record<string, string>;
}

export function readEdit(fields: readonly Field[], drafts: Drafts, value: Json): Edit {
  const result = structuredClone(value);
  const faults: Record<string, string> = {};
  let changed = false;
  for (const field of fields) {
    const draft = drafts[keyOf(field)];
    if (draft === undefined || draft === draftOf(field, at(value, field.path))) continue;
    const read = valueOf(field, draft);
    if ("fault" in read) faults[keyOf(field)] = read.fault;
    else {
      changed = true;
      put(result, field.path, read.value);
    }
  }
  return { result: changed ? result : null, faults };
}

function valueOf(field: Field, draft: string | boolean): { value: unknown } | { fault: string } {
  if (typeof draft === "boolean") return { value: draft };
  if (draft === "" && field.kind !== "text" && field.kind !== "long")
    return field.required ? { fault: "This is needed." } : { value: undefined };
  if (field.kind === "number") {
    const number = Number(draft.trim().replace(",", "."));
    if (!Number.isFinite(number)) return { fault: "This is no number." };
    return field.whole && !Number.isInteger(number) ? { fault: "This must be a whole number." } : { value: number };
  }
  if (field.kind !== "json") return { value: draft };
  try {
    return { value: JSON.parse(draft) as unknown };
  } catch {
    return { fault: "This is not JSON." };
  }
}

function put(target: Json, path: readonly string[], value: unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) {
    if (value === undefined) delete target[name];
    else target[name] = value;
    return;
  }
  const inner = isObject(target[name]) ? target[name] : {};
  target[name] = inner;
  put(inner, rest, value);
}

/** Return the values of a small object by their labels, objects within it opened; null when it is too large or holds lists. */
export function leavesOf(value: unknown, most: number): [string, string | number | boolean | null][] | null {
  if (!isObject(value)) return null;
  const leaves = leavesBelow([], value, 1);
  return leaves && leaves.length > 0 && leaves.length <= most ? leaves : null;
}

function leavesBelow(path: string[], value: Json, level: number): [string, string | number | boolean | null][] | null {
  const found: [string, string | number | boolean | null][] = [];
  for (const [name, each] of Object.entries(value)) {
    const here = [...path, name];
    if (typeof each !== "object" || each === null) found.push([here.join(" / "), each as string | number | boolean | null]);
    else {
      const inner = isObject(each) && level < DEEPEST ? leavesBelow(here, each, level + 1) : null;
      if (!inner) return null;
      found.push(...inner);
    }
  }
  return found;
}
