import type { TextToken } from '../model/tokenizer/token-encoder.ts';

/** Where a special token stands: nowhere. */
const NOWHERE = -1;

/** The tokens of a text as they go from process to process: as objects they would take five times as long to read. */
export interface PackedTokens {
  readonly ids: Uint32Array;
  /** -1 for a special token. */
  readonly starts: Int32Array;
  readonly stops: Int32Array;
  readonly texts: readonly string[];
}

export function packTokens(tokens: readonly TextToken[]): PackedTokens {
  return {
    ids: Uint32Array.from(tokens, ({ id }) => id),
    starts: Int32Array.from(tokens, ({ start }) => start ?? NOWHERE),
    stops: Int32Array.from(tokens, ({ stop }) => stop ?? NOWHERE),
    texts: tokens.map(({ text }) => text),
  };
}

export function unpackTokens({ ids, starts, stops, texts }: PackedTokens): TextToken[] {
  return texts.map((text, index) => {
    const [id, start, stop] = [ids[index], starts[index], stops[index]] as [number, number, number];
    const special = start === NOWHERE;
    return { id, text, special, start: special ? null : start, stop: special ? null : stop };
  });
}
