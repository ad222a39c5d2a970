/** The way to a workflow of one's own: three commands. */

import { basePath } from "../../app/page-place";
import { CopyButton } from "../../components/copy-button";
import { OWN_DOCUMENT } from "../../model/demo-document";
import styles from "./page.module.css";

export function OwnWorkflow() {
  const server = `${location.origin}${basePath}`.replace(/\/$/, "");
  const commands = [
    `export RUNWELL_SERVER=${server}`,
    "runwell publish greet.yaml",
    `curl -sS $RUNWELL_SERVER/v1/workflows/greet/command --json '{"command": "start", "params": {"input": {"name": "Ada"}}}'`,
  ].join("\n");
  return (
    <section className={styles.card} aria-labelledby="own">
      <h2 id="own">2. Write your own</h2>
      <p>A workflow is a document. Save this as greet.yaml:</p>
      <Snippet label="the document" text={OWN_DOCUMENT} />
      <p>Publish and start it; where sign-in is on, with a key of Settings, API keys, in RUNWELL_API_KEY:</p>
      <Snippet label="the commands" text={commands} />
      <p>
        Put <code>openai:gpt-5-mini</code> for the model, and a key under Connections, and it is the real thing.
      </p>
    </section>
  );
}

function Snippet({ label, text }: { label: string; text: string }) {
  return (
    <div className={styles.snippet}>
      <pre tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
      <CopyButton value={text} label={`Copy ${label}`} />
    </div>
  );
}
