/** The same thing done to many runs, a few at a time, with a tally that can be watched and a way to stop. */

export interface Tally {
  done: number;
  /** Left alone, as it could not be done to them: a run that has ended cannot be stopped. */
  skipped: number;
  failed: number;
  /** How many there are in all, as far as that is known. */
  of: number | null;
  firstFailure: string | null;
}

export interface Bulk<Item> {
  /** Page after page of what it is done to. */
  items: AsyncIterable<Item[]>;
  /** Return false for what is left alone. */
  applies: (item: Item) => boolean;
  act: (item: Item) => Promise<unknown>;
  /** Return after how many ms what failed is tried again; null when it has failed for good. */
  again?: (error: unknown) => number | null;
  of: number | null;
  atOnce?: number;
  onTally: (tally: Tally) => void;
  stopped: AbortSignal;
}

/** Do it to each item; return the last tally. What fails is counted, and the rest goes on. */
export async function runBulk<Item>({
  items,
  applies,
  act,
  again = () => null,
  of,
  atOnce = 6,
  onTally,
  stopped,
}: Bulk<Item>): Promise<Tally> {
  const tally: Tally = { done: 0, skipped: 0, failed: 0, of, firstFailure: null };
  for await (const page of items) {
    const waiting = [...page];
    const work = async () => {
      for (let item = waiting.shift(); item !== undefined && !stopped.aborted; item = waiting.shift()) {
        if (!applies(item)) {
          tally.skipped += 1;
          continue;
        }
        try {
          await persist(() => act(item), again, stopped);
          tally.done += 1;
        } catch (error) {
          tally.failed += 1;
          tally.firstFailure ??= error instanceof Error ? error.message : String(error);
        }
        onTally({ ...tally });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (stopped.aborted) break;
  }
  onTally({ ...tally });
  return tally;
}

async function persist(act: () => Promise<unknown>, again: (error: unknown) => number | null, stopped: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      const wait = again(error);
      if (wait === null || stopped.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
