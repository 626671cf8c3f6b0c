import type { TokenRow } from '../embedding-model.types.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { TypedRow, TokenEncoder, WordRow } from './token-encoder.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';

type Ids = readonly number[];
type PairSettings = Pick<TokenizerFiles, 'cutSide' | 'longestWord' | 'tellsTextsApart' | 'addedIds'>;

/** The special tokens of a pair, and where the type of its tokens changes from 0 to 1. */
interface Template {
  readonly before: Ids;
  readonly between: Ids;
  readonly after: Ids;
  /** Of the tokens in between, those of the first type; undefined where all tokens are of one. */
  readonly firstBetween: number | undefined;
}

const FIRST = 'a sample';
const SECOND = 'of text';

/**
 * Puts two texts into one row, as cross-encoders read them. Texts are encoded apart, so that each is encoded once however
 * many others it is paired with, and cut as transformers does it: from the longer one, until both are of like length.
 */
export class PairTokenizer {
  readonly settings: PairSettings;
  readonly #encoder: TokenEncoder;
  readonly #template: Template;

  private constructor(encoder: TokenEncoder, template: Template, settings: PairSettings) {
    this.#encoder = encoder;
    this.#template = template;
    this.settings = settings;
  }

  /** @throws ModelLoadError where the tokenizer makes something else of a pair than its texts and tokens around them */
  static async open(encoder: TokenEncoder, settings: PairSettings): Promise<PairTokenizer> {
    const [first = [], second = []] = await encoder.encode([FIRST, SECOND], false);
    const template = templateOf(await encoder.encodeTyped(FIRST, SECOND), first, second);
    const untold = { ...template, firstBetween: undefined };
    return new PairTokenizer(encoder, settings.tellsTextsApart ? template : untold, settings);
  }

  /** The ids of texts, without special tokens. A lone surrogate is read as U+FFFD. */
  tokenize(texts: readonly string[]): Promise<readonly WordRow[]> {
    return this.#encoder.encodeWords(texts.map((text) => text.toWellFormed()));
  }

  /**
   * On the side that the model says, behind the word with which there are enough: the tokenizers library stops there, and which text
   * counts as the longer one in {@link join} depends on it.
   */
  cut({ ids, words }: WordRow, limit: number): TokenRow {
    if (ids.length <= limit) return { ids };
    const isRight = this.settings.cutSide === 'right';
    const most = words ? this.#stop(ids, words(), limit) : limit;
    return { ids: isRight ? ids.slice(0, most) : ids.slice(ids.length - most) };
  }

  /** How many ids the library has when it stops. Added tokens are found before words are, and it looks up behind words only. */
  #stop(ids: Ids, words: ReturnType<NonNullable<WordRow['words']>>, limit: number): number {
    const { cutSide, addedIds } = this.settings;
    const at = (count: number) => (cutSide === 'right' ? count - 1 : ids.length - count);
    const goesOn = (count: number) =>
      words[at(count + 1)] === words[at(count)] || addedIds.has(ids[at(count)] as number);
    let count = limit;
    while (count < ids.length && goesOn(count)) count += 1;
    return count;
  }

  /** Tokens of both texts that a row of `limit` has room for. */
  roomWithin(limit: number): number {
    const { before, between, after } = this.#template;
    return Math.max(limit - before.length - between.length - after.length, 0);
  }

  /** One row of at most `limit` tokens. */
  join(first: Ids, second: Ids, limit: number): TokenRow {
    const { before, between, after, firstBetween } = this.#template;
    const [ofFirst, ofSecond] = sharesOf(first.length, second.length, this.roomWithin(limit));
    const start = this.cut({ ids: first }, ofFirst).ids;
    const ids = [...before, ...start, ...between, ...this.cut({ ids: second }, ofSecond).ids, ...after];
    if (firstBetween === undefined) return { ids };
    return { ids, secondFrom: before.length + start.length + firstBetween };
  }
}

/** How many tokens of two texts stay in `room`, as the tokenizers library has it for "longest first". */
function sharesOf(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  const [shorter, longer] =
    Math.min(first, second) <= half
      ? [Math.min(first, second), room - Math.min(first, second)]
      : [half, room - half];
  return first <= second ? [shorter, longer] : [longer, shorter];
}

function templateOf({ ids, types }: TypedRow, first: Ids, second: Ids): Template {
  const extra = ids.length - first.length - second.length;
  const isAt = (part: Ids, start: number) => part.every((id, index) => ids[start + index] === id);
  for (let start = 0; start <= extra; start += 1) {
    for (let gap = 0; gap <= extra - start; gap += 1) {
      const end = start + first.length;
      if (!isAt(first, start) || !isAt(second, end + gap)) continue;
      const template = {
        before: ids.slice(0, start),
        between: ids.slice(end, end + gap),
        after: ids.slice(end + gap + second.length),
      };
      const change = types.indexOf(1);
      if (change < 0) return { ...template, firstBetween: undefined };
      if (change >= end && change <= end + gap && types.every((type, at) => type === Number(at >= change)))
        return { ...template, firstBetween: change - end };
    }
  }
  throw new ModelLoadError(
    'tokenizer.json is not understood: it does not say how two texts are put together',
  );
}
