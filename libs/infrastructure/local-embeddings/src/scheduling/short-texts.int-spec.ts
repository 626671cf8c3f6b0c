import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import type { EmbeddedItem } from './embedding-job.ts';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';
import { localEmbeddingsConfig } from '../local-embeddings.config.ts';
import { modelOptions } from '../model-options.ts';
import { ModelProcess } from '../processes/model-process.ts';
import type { Task } from '../processes/process-protocol.ts';

/** Eight values, 32 tokens, prompts `query` (the default) and `document`. */
const FOLDER = join(import.meta.dirname, '../../fixture/reference-models/bert-prompts');
const NEVER = { signal: new AbortController().signal };
const LONG = 'word '.repeat(100);

const { value: original } = Object.getOwnPropertyDescriptor(ModelProcess.prototype, 'run') as {
  value: ModelProcess['run'];
};
const run = jest.spyOn(ModelProcess.prototype, 'run');
/** What processes were asked for since the test began. */
const asked = () => run.mock.calls.map(([type]) => type);
/** Rows of each batch since then. */
const rows = () =>
  run.mock.calls.filter(([type]) => type === 'run').map(([, task]) => (task as Task<'run'>).rows.length);

let model: LocalEmbeddingModel;

beforeAll(async () => {
  model = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
  await model.load();
});
beforeEach(() => {
  run.mockClear();
});
afterEach(() => {
  run.mockImplementation(original);
});
afterAll(async () => {
  run.mockRestore();
  await model.unload();
});

const valuesOf = ({ vector, ...rest }: EmbeddedItem) => ({
  ...rest,
  values: [...vector].map((value) => expect.closeTo(value, 6)),
});
/** Ends the process at each run of a text that has this in it. */
const poison = (word: string) =>
  run.mockImplementation(function (this: ModelProcess, type, task) {
    const has = 'rows' in task && task.rows.some((row) => 'text' in row && row.text.includes(word));
    if (has) process.kill(this.pid as number, 'SIGKILL');
    return original.call(this, type, task);
  });

describe('short texts that come in one turn of the event loop', () => {
  it('are tokenised and run together, in one process', async () => {
    await Promise.all([
      model.embed(['a cat', 'a dog'], NEVER),
      model.embed(['a hen', 'a fox', [5, 6]], NEVER),
    ]);
    expect([asked(), rows()]).toEqual([['run'], [5]]);
  });

  it('and of which some are much shorter are run apart from the others where a process is free for them', async () => {
    const two = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 2 } });
    await two.load();
    await waitFor(() => two.getStatus().workersAlive === 2, { what: 'the second process' });
    const embed = (texts: readonly string[]) => two.embed(texts, NEVER, { truncate: true });
    await Promise.all([embed(['a cat', LONG]), embed(['a hen', 'a fox']), embed(['an owl', 'a dog'])]);
    expect(rows().slice(0, 2)).toEqual([4, 2]);
    run.mockClear();
    await Promise.all([embed(['a cat', 'a hen', 'a fox']), embed(['an owl', 'a dog'])]);
    expect(rows()).toEqual([5]);
    await two.unload();
  });
});

describe('a short text', () => {
  it.each([{}, { promptName: 'document' }, { prompt: 'passage: ' }, { prompt: '' }])(
    'has the vector and the tokens that it has where it is tokenised elsewhere: %j',
    async (choice) => {
      const [here] = await model.embed(['a cat'], NEVER, choice);
      expect(asked()).toEqual(['run']);
      // The tokenizer drops such a space.
      const [elsewhere] = await model.embed([`a cat${' '.repeat(1_024)}`], NEVER, choice);
      expect(asked()).toEqual(['run', 'tokenize', 'run']);
      expect(here && { ...here, vector: [...here.vector] }).toEqual(
        (({ values, ...rest }) => ({ ...rest, vector: values }))(valuesOf(elsewhere as EmbeddedItem)),
      );
    },
  );

  it('is looked at before it is run where it has too many tokens, and does not hold up those beside it', async () => {
    const [short, cut] = await model.embed(['a cat', LONG], NEVER, { truncate: true });
    expect([short, cut]).toMatchObject([{ truncated: false }, { tokenCount: 32, truncated: true }]);
    expect([asked(), rows()]).toEqual([
      ['run', 'run'],
      [2, 1],
    ]);
  });

  it('is not run where another one of its call is refused', async () => {
    await expect(model.embed(['a cat', LONG], NEVER, { truncate: false })).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'input[1]',
    });
    expect(asked()).toEqual(['tokenize']);
    await model.embed(['a cat', 'a dog'], NEVER, { truncate: false });
    expect(asked()).toEqual(['tokenize', 'run']);
    // As many characters as there may be tokens, to which two special ones come.
    const dense = '\u4e2d'.repeat(32);
    const refused = model.embed([dense], NEVER, { truncate: false, prompt: '' });
    await expect(refused).rejects.toMatchObject({ code: 'context_length_exceeded' });
    expect(asked()).toEqual(['tokenize', 'run', 'run']);
  });

  it('that needs more memory than its batch has is tokenised and not run', async () => {
    const options = { folder: FOLDER, model: modelOptions(localEmbeddingsConfig.parse({})) };
    const process = new ModelProcess('inference', options, () => undefined);
    await process.loaded();
    const rows = [{ text: 'a cat', more: false }, { ids: [5, 6] }];
    const task = { rows, budgetBytes: 1, mostTokens: 32, perToken: false };
    const { vectors, lengths, unrun } = await process.run('run', task);
    const window = { row: { ids: expect.any(Array) }, truncated: false };
    expect([vectors.length, lengths, unrun]).toMatchObject([8, [2], [{ place: 0, window }]]);
    await process.end();
  });

  it('waits for the next batch where its own has more tokens than was thought', async () => {
    // Sixteen tokens, where one is expected of four characters.
    const dense = '\u4e2d'.repeat(16);
    const other = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1, batchTokens: 40 } });
    await other.load();
    const items = await other.embed([dense, dense, dense], NEVER, { prompt: '' });
    expect(items.map(({ tokenCount }) => tokenCount)).toEqual([18, 18, 18]);
    const tasks = run.mock.calls.filter(([type]) => type === 'run').map(([, task]) => task as Task<'run'>);
    expect(tasks.map((task) => task.rows.map((row) => ('ids' in row ? row.ids.length : 'text')))).toEqual([
      ['text', 'text', 'text'],
      [18],
    ]);
    await other.unload();
  });

  it.each([
    ['it is long', () => model.embed(['word '.repeat(1_000)], NEVER, { truncate: true })],
    [
      'its prompt is long',
      () => model.embed(['a cat'], NEVER, { prompt: ' '.repeat(1_024), truncate: true }),
    ],
    ['vectors of its tokens are wanted', () => model.embedTokens(['a cat'], NEVER)],
  ])('is tokenised elsewhere where %s', async (_, embed) => {
    await embed();
    expect(asked()).toEqual(['tokenize', 'run']);
  });

  it('is tried again when its process dies', async () => {
    run.mockImplementationOnce(function (this: ModelProcess, type, task) {
      process.kill(this.pid as number, 'SIGKILL');
      return original.call(this, type, task);
    });
    expect(await model.embed(['a fox'], NEVER)).toHaveLength(1);
    expect(asked()).toEqual(['run', 'run']);
  });

  it('that ends two processes, the second one alone, is not given to a third, and harms none beside it', async () => {
    const other = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
    await other.load();
    poison('fox');
    const [bad, good] = await Promise.allSettled([
      other.embed(['a fox'], NEVER),
      other.embed(['a hen', 'an owl'], NEVER),
    ]);
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { code: 'inference_failed', param: 'input[0]' },
    });
    expect(good).toMatchObject({ status: 'fulfilled' });
    run.mockClear();
    await expect(other.embed(['a fox'], NEVER)).rejects.toThrow(/has ended the model process before/);
    expect(asked()).toEqual([]);
    await other.unload();
  });
});
