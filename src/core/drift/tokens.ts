/**
 * What reading a definition costs a model, as an estimate that needs no model's tokenizer: a token for
 * every four bytes of its compact JSON. For comparing a listing with itself; no bill.
 */
export function estimateTokens(compactJsonBytes: number): number {
  return Math.ceil(compactJsonBytes / BYTES_PER_TOKEN);
}

const BYTES_PER_TOKEN = 4;

/** How the estimate is named wherever it is shown. */
export const TOKEN_ESTIMATE = 'estimated as bytes of compact JSON / 4';
