/** Which fields a form has that is made from a JSON schema. What a form cannot show is written as JSON. */

export type Schema = Record<string, unknown>;

export type FieldKind = "text" | "number" | "integer" | "boolean" | "choice" | "group" | "json";

export interface SchemaField {
  name: string;
  label: string;
  kind: FieldKind;
  required: boolean;
  description?: string;
  /** Of a `choice`: as they are in the schema. */
  choices?: unknown[];
  /** Of a `group`. */
  fields?: SchemaField[];
  example?: unknown;
}

const DEEPEST = 3;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Return the fields of an object's schema, those that are needed first; null when it does not say which there are. */
export function fieldsOf(schema: unknown, depth = 0): SchemaField[] | null {
  if (!isRecord(schema) || !isRecord(schema["properties"]) || "$ref" in schema) return null;
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const fields = Object.entries(schema["properties"]).map(([name, of]) =>
    field(name, isRecord(of) ? of : {}, required.includes(name), depth),
  );
  return [...fields.filter((each) => each.required), ...fields.filter((each) => !each.required)];
}

function field(name: string, schema: Schema, required: boolean, depth: number): SchemaField {
  const said = { name, label: typeof schema["title"] === "string" ? schema["title"] : name, required };
  const more = {
    ...(typeof schema["description"] === "string" ? { description: schema["description"] } : {}),
    ...("default" in schema ? { example: schema["default"] } : {}),
  };
  if (Array.isArray(schema["enum"])) return { ...said, ...more, kind: "choice", choices: schema["enum"] };
  const fields = schema["type"] === "object" && depth < DEEPEST ? fieldsOf(schema, depth + 1) : null;
  if (fields && fields.length > 0) return { ...said, ...more, kind: "group", fields };
  return { ...said, ...more, kind: scalarKind(schema["type"]) };
}

function scalarKind(type: unknown): FieldKind {
  if (type === "string") return "text";
  return type === "number" || type === "integer" || type === "boolean" ? type : "json";
}

/** How an input is written at first: as a form, as one text, or as JSON. */
export function usualForm(schema: unknown): "form" | "text" | "json" {
  if (!isRecord(schema)) return "text";
  if (fieldsOf(schema)?.length) return "form";
  return schema["type"] === "string" ? "text" : "json";
}

/** Return what is sent when nothing was written: of a form the empty object, so that what is missing can be named. */
export function unwritten(schema: unknown): unknown {
  return usualForm(schema) === "form" ? {} : null;
}

/** Return the object with the field set; a value that is undefined leaves it out. */
export function withField(value: unknown, name: string, field: unknown): Record<string, unknown> {
  const { [name]: _old, ...rest } = isRecord(value) ? value : {};
  if (field === undefined) return rest;
  return isRecord(value) && name in value ? { ...value, [name]: field } : { ...rest, [name]: field };
}

export type Parsed = { value: unknown; fault: null } | { value?: undefined; fault: string };

/** Return what the JSON says, or what is wrong with it. Nothing written is null. */
export function parsedJson(text: string): Parsed {
  if (text.trim() === "") return { value: null, fault: null };
  try {
    return { value: JSON.parse(text) as unknown, fault: null };
  } catch (error) {
    return { fault: `This is not JSON: ${(error as Error).message}` };
  }
}

export function asJson(value: unknown): string {
  return value === undefined || value === null ? "" : JSON.stringify(value, null, 2);
}
