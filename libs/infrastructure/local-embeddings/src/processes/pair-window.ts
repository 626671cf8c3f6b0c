import type { PairTokenizer } from '../model/tokenizer/pair-tokenizer.ts';
import type { TokenWindow } from './process-protocol.ts';

/** One row of a query and a text, each cut to `limit` already, of at most `limit` tokens together. */
export function pairWindow(
  query: TokenWindow,
  text: TokenWindow,
  limit: number,
  pairs: PairTokenizer,
): TokenWindow {
  const [first, second] = [query.row.ids, text.row.ids];
  const isCut = first.length + second.length > pairs.roomWithin(limit);
  return { row: pairs.join(first, second, limit), truncated: isCut || query.truncated || text.truncated };
}
