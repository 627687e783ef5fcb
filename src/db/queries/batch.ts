/**
 * Gathers calls into batches without a timer: the first goes out at once, and whatever arrives while
 * a batch is under way forms the next one. A lone call pays no delay, a busy worker few round trips.
 */
export interface Batcher<Item, Result> {
  add(item: Item): Promise<Result>;
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** `run` must give one result for each item, in order. */
export function createBatcher<Item, Result>(
  maxSize: number,
  run: (items: Item[]) => Promise<Result[]>,
): Batcher<Item, Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let loop: Promise<void> | null = null;

  async function settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      // One item that the database will not take must not cost the others their result.
      else for (const entry of batch) await settle([entry]);
    }
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) await settle(waiting.splice(0, maxSize));
    loop = null;
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        loop ??= Promise.resolve().then(drain);
      });
    },
    idle: async () => {
      while (loop) await loop;
    },
  };
}
