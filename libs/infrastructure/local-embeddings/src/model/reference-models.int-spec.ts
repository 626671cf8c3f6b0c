import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelProbe } from '../../fixture/model-probe.ts';

interface ReferenceRow {
  readonly text: string;
  readonly ids: readonly number[];
  /** Null where it is not finite. */
  readonly vector: readonly number[] | null;
}

/** Made by tools/reference-models: what sentence-transformers itself gives. */
const FOLDERS = join(import.meta.dirname, '../../fixture/reference-models');
const NAMES = readdirSync(FOLDERS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const rowsOf = (name: string) =>
  JSON.parse(readFileSync(join(FOLDERS, name, 'ref.json'), 'utf8')) as readonly ReferenceRow[];

/** Graphs that would give a text another vector, or none, beside others. */
const RUN_ALONE = ['bert-no-mask', 'bert-one-text-graph'];

/** The largest difference of any value. */
function distance(actual: readonly number[] | undefined, expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(value - (actual?.[index] ?? NaN))));
}

const probe = new ModelProbe();
beforeAll(() => expect(NAMES.length).toBeGreaterThanOrEqual(30));
afterAll(() => probe.stop());

describe('a folder of sentence-transformers', () => {
  it.each(NAMES)('%s gives the tokens and vectors of the library, alone and in any batch', async (name) => {
    const rows = rowsOf(name);
    const answer = await probe.open(
      join(FOLDERS, name),
      {},
      rows.map(({ text }) => text),
    );
    expect(answer.info.backend).toBe('sentence-transformers');
    expect(answer.info.tokenizer).toBe('native');
    const isAlone = RUN_ALONE.includes(name);
    expect(answer.info.batchable).toBe(!isAlone);
    expect(answer.info.notes).toEqual(isAlone ? [expect.stringContaining('every text is run alone')] : []);
    rows.forEach(({ ids, vector }, index) => {
      expect(answer.ids[index]).toEqual(ids);
      if (!vector) return;
      expect(answer.info.dimensions).toBe(vector.length);
      for (const vectors of [answer.alone, answer.batch, answer.backwards])
        expect(distance(vectors[index], vector)).toBeLessThan(1e-5);
    });
    const faulty = rows.flatMap(({ vector }, row) => (vector ? [] : [row]));
    expect(answer.faults.map(({ row }) => row)).toEqual(faulty);
  });

  it('says where a value that is no number is, and where it came from', async () => {
    const rows = rowsOf('bert-nan-token');
    const { faults } = await probe.open(
      join(FOLDERS, 'bert-nan-token'),
      {},
      rows.map(({ text }) => text),
    );
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThan(rows.length);
    for (const { reason } of faults)
      expect(reason).toMatch(/^value \d+ of the vector is NaN; the graph gave it so, first at token \d+$/);
  });

  it.each([
    ['roberta', 26, 24],
    ['mpnet', 26, 24],
    ['data2vec', 26, 24],
    ['bert-mean', 32, 32],
  ])('%s has positions for %i tokens and bears %i', async (name, stated, borne) => {
    const config = JSON.parse(readFileSync(join(FOLDERS, name, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(config['max_position_embeddings']).toBe(stated);
    const { info } = await probe.open(join(FOLDERS, name));
    expect(info).toMatchObject({ maxTokens: borne, limitMeasured: true });
  });

  it('takes the limit that is stated where measuring would take too much memory', async () => {
    const { info } = await probe.open(join(FOLDERS, 'bert-mean'), { measureBytes: 10 });
    expect(info).toMatchObject({ maxTokens: 32, limitMeasured: false });
  });

  it('uses the prompt that a call names, and refuses one that is not there', async () => {
    const folder = join(FOLDERS, 'bert-prompts');
    const query = await probe.open(folder, {}, ['query: a', 'a']);
    const document = await probe.open(folder, {}, ['a'], 'document');
    expect(query.info).toMatchObject({
      defaultPrompt: 'query',
      prompts: { query: 'query: ', document: 'passage: ' },
    });
    expect(query.ids[1]).not.toEqual(document.ids[0]);
    await expect(probe.open(folder, {}, ['a'], 'haiku')).rejects.toThrow('no prompt "haiku"');
  });
});

describe('the native tokenizer', () => {
  interface TokenCase {
    readonly text: string;
    readonly ids: Readonly<Record<string, readonly number[]>>;
  }
  const cases = readFileSync(join(FOLDERS, 'tokens.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TokenCase);

  it.each(['bert-mean', 'bert-cased', 'roberta', 'xlm-roberta', 'qwen3-mean'])(
    'of %s gives the ids of Python for strings of every script',
    async (name) => {
      const texts = cases.map(({ text }) => text);
      const { uncut } = await probe.open(join(FOLDERS, name), {}, texts);
      cases.forEach(({ ids }, index) => expect(uncut[index]).toEqual(ids[name]));
    },
  );

  it('reads a lone surrogate as U+FFFD', async () => {
    const { ids } = await probe.open(join(FOLDERS, 'roberta'), {}, [
      'a \ud800 b',
      'a \udc00 b',
      'a \ufffd b',
    ]);
    expect(ids[0]).toEqual(ids[2]);
    expect(ids[1]).toEqual(ids[2]);
  });
});
