import { AppError } from '@morgan/foundation';

/** Numbers of fewer digits are held exactly. A text may contain one, too. */
const LONG_NUMBER = /(?:^|[[,:])\s*-?\d{16}/;
const INTEGER = /^-?\d+$/;

/** The most values of one text that are looked at: each takes a microsecond of a turn of the event loop. */
const MOST_VALUES = 100_000;

/** Not in TypeScript's library yet (ECMA-262, "JSON.rawJSON"). */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/**
 * `JSON.parse`, but an integer beyond 2^53 is kept as it is written, and `JSON.stringify` writes it so again: ids of 19
 * digits are common in arguments of tools.
 * @throws AppError `invalid_value` where such an integer is one of more than 100,000 values; SyntaxError as `JSON.parse`.
 */
export function parseExactly(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const pieces = outsideTexts(text);
  if (!pieces.some((piece) => LONG_NUMBER.test(piece))) return JSON.parse(text);
  const commas = pieces.reduce((total, piece) => total + piece.split(',').length - 1, 0);
  if (commas < MOST_VALUES) return JSON.parse(text, exactly);
  throw new AppError(
    'invalid_value',
    `An integer beyond 2^53 can only be carried over where there are at most ${MOST_VALUES} values.`,
  );
}

function exactly(_key: string, value: unknown, context: { readonly source?: string } = {}): unknown {
  const { source = '' } = context;
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source);
  return isRounded ? rawJSON(source) : value;
}

/** What stands between the texts of a JSON: digits within them are no numbers. */
function outsideTexts(json: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < json.length;) {
    const quote = json.indexOf('"', at);
    pieces.push(json.slice(at, quote < 0 ? json.length : quote));
    at = quote < 0 ? json.length : endOfText(json, quote) + 1;
  }
  return pieces;
}

/** Where the text that begins at a quote ends. */
function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (json[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}
