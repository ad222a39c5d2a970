/** What is typed about a connection, and the request that it becomes. Pure. */

import { readWhole } from "./settings";

export const CONNECTION_TYPES = [
  { value: "http", label: "HTTP", about: "For http steps: an address, and headers that are sent along." },
  { value: "mcp", label: "MCP server", about: "Tools for agents and tool steps." },
  { value: "openai", label: "OpenAI", about: "Models of OpenAI." },
  { value: "openai-chat", label: "OpenAI-compatible (chat)", about: "Any server that speaks OpenAI's chat protocol." },
  { value: "openai-responses", label: "OpenAI-compatible (responses)", about: "Any server that speaks OpenAI's responses protocol." },
  { value: "anthropic", label: "Anthropic", about: "Models of Anthropic." },
  { value: "google", label: "Google", about: "Gemini models." },
  { value: "mistral", label: "Mistral", about: "Models of Mistral." },
  { value: "groq", label: "Groq", about: "Models at Groq." },
  { value: "azure", label: "Azure OpenAI", about: "The address ends in /openai/v1." },
  { value: "bedrock", label: "Amazon Bedrock", about: "Models at Bedrock, by a bearer token." },
  { value: "ollama", label: "Ollama", about: "Models of your own machine or network." },
] as const;

export type ConnectionKind = (typeof CONNECTION_TYPES)[number]["value"];

export const typeLabel = (type: string): string => CONNECTION_TYPES.find((each) => each.value === type)?.label ?? type;

/** Whether credentials are headers rather than one key. */
export const hasHeaders = (type: string): boolean => type === "http" || type === "mcp";

export interface HeaderDraft {
  name: string;
  value: string;
}

export interface ConnectionDraft {
  name: string;
  type: ConnectionKind;
  baseUrl: string;
  origins: string[];
  apiKey: string;
  secretHeaders: HeaderDraft[];
  headers: HeaderDraft[];
  concurrent: string;
  perMinute: string;
  timeout: string;
}

export const NEW_CONNECTION: ConnectionDraft = {
  name: "",
  type: "http",
  baseUrl: "",
  origins: [],
  apiKey: "",
  secretHeaders: [{ name: "Authorization", value: "" }],
  headers: [],
  concurrent: "",
  perMinute: "",
  timeout: "",
};

interface Stored {
  name: string;
  type: string;
  base_url: string | null;
  allowed_origins: string[];
  headers: Record<string, string>;
  limits: { max_concurrent?: number | null; requests_per_minute?: number | null; timeout_s?: number | null };
}

/** Return the draft of what is kept; credentials are never told, so they are empty. */
export function draftOf(stored: Stored): ConnectionDraft {
  return {
    name: stored.name,
    type: stored.type as ConnectionKind,
    baseUrl: stored.base_url ?? "",
    origins: [...stored.allowed_origins],
    apiKey: "",
    secretHeaders: [],
    headers: Object.entries(stored.headers).map(([name, value]) => ({ name, value })),
    concurrent: String(stored.limits.max_concurrent ?? ""),
    perMinute: String(stored.limits.requests_per_minute ?? ""),
    timeout: String(stored.limits.timeout_s ?? ""),
  };
}

export type ConnectionFault = Partial<Record<"name" | "concurrent" | "perMinute" | "timeout", string>>;

const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

export function faultsOf(draft: ConnectionDraft): ConnectionFault {
  const found: ConnectionFault = {};
  if (!NAME.test(draft.name)) found.name = "Lower case letters, digits, - and _, beginning with a letter.";
  const concurrent = readWhole(draft.concurrent, 1, 10_000).fault;
  const perMinute = readWhole(draft.perMinute).fault;
  if (concurrent) found.concurrent = concurrent;
  if (perMinute) found.perMinute = perMinute;
  const timeout = Number(draft.timeout);
  if (draft.timeout.trim() && !(timeout > 0 && timeout <= 3_600)) found.timeout = "This must be over 0 and at most 3,600.";
  return found;
}

/** Return the request's body. Credentials that are not typed are left out, so that those that are kept stay. */
export function bodyOf(draft: ConnectionDraft) {
  const headed = hasHeaders(draft.type);
  const secret = pairs(draft.secretHeaders.filter((header) => header.value));
  return {
    base_url: draft.baseUrl.trim() || null,
    headers: pairs(draft.headers),
    ...(draft.origins.length > 0 ? { allowed_origins: draft.origins } : {}),
    ...(headed && Object.keys(secret).length > 0 ? { secret_headers: secret } : {}),
    ...(!headed && draft.apiKey ? { api_key: draft.apiKey } : {}),
    limits: {
      max_concurrent: readWhole(draft.concurrent, 1, 10_000).value,
      requests_per_minute: readWhole(draft.perMinute).value,
      timeout_s: draft.timeout.trim() ? Number(draft.timeout) : null,
    },
  };
}

function pairs(headers: readonly HeaderDraft[]): Record<string, string> {
  return Object.fromEntries(headers.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), value]));
}
