/** Server-sent events out of a stream of text. One reader for each connection. */

export interface Sent {
  /** The event's cursor; null for a control message. */
  id: string | null;
  data: string;
}

export class SseReader {
  private rest = "";

  /** Return the messages that this piece completes. */
  read(piece: string): Sent[] {
    const text = this.rest + piece;
    const blocks = text.split(/\r?\n\r?\n/);
    this.rest = blocks.pop() ?? "";
    return blocks.map(message).filter((sent) => sent !== null);
  }
}

function message(block: string): Sent | null {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "id") id = value;
  }
  return data.length === 0 ? null : { id, data: data.join("\n") };
}
