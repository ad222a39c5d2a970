/** A model call as it was sent, as a command or program that sends it again. Keys are never in it: they are named. */

export interface Sent {
  url?: string | null;
  text: string;
  content_type?: string | null;
}

interface Keys {
  variable: string;
  header: (value: string) => [string, string];
  more?: [string, string][];
}

const BEARER = (variable: string): Keys => ({ variable, header: (value) => ["Authorization", `Bearer ${value}`] });
const KEYS: Record<string, Keys> = {
  anthropic: {
    variable: "ANTHROPIC_API_KEY",
    header: (value) => ["x-api-key", value],
    more: [["anthropic-version", "2023-06-01"]],
  },
  google: { variable: "GEMINI_API_KEY", header: (value) => ["x-goog-api-key", value] },
  mistral: BEARER("MISTRAL_API_KEY"),
  groq: BEARER("GROQ_API_KEY"),
  azure: { variable: "AZURE_OPENAI_API_KEY", header: (value) => ["api-key", value] },
};

function keysOf(provider: string): Keys {
  return KEYS[provider] ?? BEARER(provider.startsWith("openai") ? "OPENAI_API_KEY" : "API_KEY");
}

/** Return the call as a `curl` command for a POSIX shell. */
export function asCurl(provider: string, sent: Sent): string {
  const keys = keysOf(provider);
  const [name, value] = keys.header(`$${keys.variable}`);
  const headers = [["Content-Type", sent.content_type ?? "application/json"] as [string, string], ...(keys.more ?? [])];
  return [
    `curl -sS ${shell(sent.url ?? "")}`,
    ...headers.map(([header, text]) => `  -H ${shell(`${header}: ${text}`)}`),
    `  -H "${name}: ${value}"`,
    `  --data-binary ${shell(sent.text)}`,
  ].join(" \\\n");
}

/** Return the call as a Python program that needs httpx. */
export function asPython(provider: string, sent: Sent): string {
  const keys = keysOf(provider);
  const [name, value] = keys.header("");
  const headers = [["Content-Type", sent.content_type ?? "application/json"] as [string, string], ...(keys.more ?? [])];
  return [
    "import os",
    "",
    "import httpx",
    "",
    "answer = httpx.post(",
    `    ${JSON.stringify(sent.url ?? "")},`,
    "    headers={",
    ...headers.map(([header, text]) => `        ${JSON.stringify(header)}: ${JSON.stringify(text)},`),
    `        ${JSON.stringify(name)}: ${value ? `${JSON.stringify(value)} + ` : ""}os.environ[${JSON.stringify(keys.variable)}],`,
    "    },",
    `    content=${python(sent.text)},`,
    "    timeout=300,",
    ")",
    "answer.raise_for_status()",
    "print(answer.text)",
    "",
  ].join("\n");
}

function shell(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** JSON's strings are Python's, but for characters that end a line in neither. */
function python(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (each) => {
    return `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
