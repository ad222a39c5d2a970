/**
 * The events of one run, kept as long as somebody looks at it: read in pages, several at a time, then followed live. They
 * are folded as they come; who looks is told at most every `TELL_MS`, and
 * less often while a long past is read.
 */

import { apply, emptyRecord } from "../model/run/fold";
import type { RunEvent, RunRecord } from "../model/run/record";
import { isLive } from "../model/status";
import { follow, type LiveState } from "./live";
import { readEvents } from "./run";

export interface Watched {
  /** Every event so far, in order and without a hole. It grows in place: look at `count`. */
  events: readonly RunEvent[];
  count: number;
  record: RunRecord;
  /** All that there was at first is here. */
  whole: boolean;
  live: LiveState | null;
  /** What models are writing, by step; the whole text comes with the event. */
  writing: ReadonlyMap<string, string>;
  error: unknown;
}

const PAGE = 1_000;
const AT_ONCE = 4;
const TELL_MS = 80;
const LOADING_TELL_MS = 400;
const LAST = 2_147_483_647;

export class RunEvents {
  private events: RunEvent[] = [];
  private record: RunRecord = emptyRecord();
  private writing = new Map<string, string>();
  private whole = false;
  private live: LiveState | null = null;
  private error: unknown = null;
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private stopped = new AbortController();
  private unfollow: (() => void) | null = null;
  private shown: Watched;

  constructor(private readonly id: string) {
    this.shown = this.picture();
  }

  /** Begin; the returned function ends it. */
  start(): () => void {
    this.stopped = new AbortController();
    void this.load();
    return () => {
      this.stopped.abort();
      this.unfollow?.();
      this.unfollow = null;
      if (this.timer) clearTimeout(this.timer);
      this.timer = null;
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  watched = (): Watched => this.shown;

  /** Read what came after the last event: of a run that is over, which is not followed. */
  async more(): Promise<void> {
    const found = await readEvents(this.id, { after: this.last(), limit: PAGE }, this.stopped.signal);
    for (const event of found) this.take(event);
    this.tell();
  }

  /** Begin anew after a failure. */
  again(): void {
    this.error = null;
    void this.load();
  }

  private async load(): Promise<void> {
    const { signal } = this.stopped;
    try {
      const have = this.last();
      const [first, last] = await Promise.all([
        readEvents(this.id, { after: have, limit: PAGE }, signal),
        have === 0 ? readEvents(this.id, { before: LAST, limit: 1 }, signal) : [],
      ]);
      for (const event of first) this.take(event);
      this.tell();
      await this.loadTo(last[0]?.seq ?? this.last(), signal);
      this.whole = true;
      this.tell();
      if (isLive(this.record.status) && !signal.aborted) this.followOn();
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
      this.tell();
    }
  }

  private async loadTo(last: number, signal: AbortSignal): Promise<void> {
    while (this.last() < last) {
      const from = this.last();
      const starts = Array.from({ length: Math.min(AT_ONCE, Math.ceil((last - from) / PAGE)) }, (_, n) => from + n * PAGE);
      const parts = starts.map((start) => this.part(start, Math.min(start + PAGE, last), signal));
      for (const part of parts) {
        for (const event of await part) this.take(event);
        this.tellSoon();
      }
      if (this.last() === from) return; // the server has no more
    }
  }

  /** Return the events over `from`, up to `to`. A page ends early when its events are large. */
  private async part(from: number, to: number, signal: AbortSignal): Promise<RunEvent[]> {
    const found: RunEvent[] = [];
    for (let at = from; at < to;) {
      const page = await readEvents(this.id, { after: at, limit: to - at }, signal);
      if (page.length === 0) break;
      found.push(...page);
      at = page.at(-1)?.seq ?? to;
    }
    return found;
  }

  private followOn(): void {
    this.unfollow = follow({
      path: `/v1/runs/${encodeURIComponent(this.id)}/stream`,
      after: String(this.last()),
      onMessage: (message) => {
        if (message.type === "delta") this.write(String(message["step_id"]), String(message["text"]));
        else if (typeof message["seq"] === "number") this.take(message as unknown as RunEvent);
        else return;
        this.tellSoon();
      },
      onState: (state) => {
        this.live = state;
        this.tell();
      },
    });
  }

  private last(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  private take(event: RunEvent): void {
    if (event.seq <= this.last()) return; // had already
    this.events.push(event);
    apply(this.record, event);
    if (event.step_id && (event.type === "generation_completed" || event.type === "step_started")) this.writing.delete(event.step_id);
  }

  private write(step: string, text: string): void {
    this.writing.set(step, (this.writing.get(step) ?? "") + text);
  }

  private picture(): Watched {
    const { events, record, whole, live, error, writing } = this;
    return { events, count: events.length, record: { ...record }, whole, live, error, writing: new Map(writing) };
  }

  private tellSoon(): void {
    this.timer ??= setTimeout(() => this.tell(), this.whole ? TELL_MS : LOADING_TELL_MS);
  }

  private tell(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.shown = this.picture();
    for (const listener of this.listeners) listener();
  }
}
