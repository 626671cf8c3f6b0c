/** Two sentences, and how alike people have found them. */
export interface ScoredPair {
  readonly sentences: readonly [string, string];
  readonly score: number;
}

/**
 * Reads lines of `sentence,sentence,score` as RFC 4180 has it: fields may stand in quotation marks, and then hold commas,
 * line breaks and doubled quotation marks. Further columns are passed over, and a first line whose score is no number.
 * @throws Error that names the line that is not understood
 */
export function readScoredPairs(text: string): ScoredPair[] {
  const pairs: ScoredPair[] = [];
  for (const [index, [first = '', second = '', score = '']] of recordsOf(text).entries()) {
    const value = score.trim() === '' ? NaN : Number(score);
    if (Number.isNaN(value) && index === 0) continue;
    if (first === '' || second === '' || Number.isNaN(value))
      throw new Error(`record ${index + 1} is not sentence,sentence,score`);
    pairs.push({ sentences: [first, second], score: value });
  }
  return pairs;
}

/** A field with what ends it; a quoted one comes first. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function recordsOf(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  FIELD.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (FIELD.lastIndex < text.length) {
    const [, quoted, plain = '', end] = FIELD.exec(text) ?? [];
    if (end === undefined) throw new Error(`record ${records.length + 1} has a stray quotation mark`);
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}
