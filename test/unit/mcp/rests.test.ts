import { describe, expect, test } from 'vitest';
import { giveWay, type Rest, stepAside } from '../../../src/mcp/rests.ts';

/** Others that have something to do in every turn of the loop, for ever. */
function keepBusy(): { end(): void } {
  let isBusy = true;
  const work = () => {
    const until = performance.now() + 1;
    while (performance.now() < until);
    if (isBusy) setImmediate(work);
  };
  setImmediate(work);
  return {
    end: () => {
      isBusy = false;
    },
  };
}

describe.each<[string, Rest]>([
  ['who gives way', giveWay],
  ['who steps aside', stepAside],
])('%s', (_name, rest) => {
  test('rests as long as was said while others keep the loop busy', async () => {
    const others = keepBusy();
    const startedAt = performance.now();
    await new Promise<void>((resolve) => rest(40, resolve));
    others.end();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(40);
  });

  test('goes on when nobody has a use for it', async () => {
    // Longer than any test may take.
    await new Promise<void>((resolve) => rest(10 * 60_000, resolve));
  });
});
