import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import type { EmbeddedItem } from './embedding-job.ts';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';
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

const valuesOf = ({ vector, ...rest }: EmbeddedItem) => ({ ...rest, values: [...vector] });

describe('calls that come in one turn of the event loop', () => {
  it('are tokenised and run together', async () => {
    await Promise.all([
      model.embed(['a cat', 'a dog'], NEVER),
      model.embed(['a hen', 'a fox', 'an owl'], NEVER),
    ]);
    expect(asked()).toEqual(['tokenize', 'run']);
  });

  it('and of which some are short are run apart from the long ones where a process is free for them', async () => {
    const two = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 2 } });
    await two.load();
    await waitFor(() => two.getStatus().workersAlive === 2, { what: 'the second process' });
    const embed = (texts: readonly string[]) => two.embed(texts, NEVER, { truncate: true });
    await Promise.all([embed(['a cat', LONG]), embed(['a hen', 'a fox']), embed(['an owl', 'a dog'])]);
    expect(rows()).toEqual([4, 2]);
    run.mockClear();
    await Promise.all([embed(['a cat', 'a hen', 'a fox']), embed(['an owl', 'a dog'])]);
    expect(rows()).toEqual([5]);
    await two.unload();
  });
});

describe('a short text that comes alone', () => {
  it.each([{}, { promptName: 'document' }, { prompt: 'passage: ' }, { prompt: '' }])(
    'is one task, and has the vector that it has among others: %j',
    async (choice) => {
      const [alone] = await model.embed(['a cat'], NEVER, choice);
      expect(asked()).toEqual(['embed']);
      const [among] = await model.embed(['a cat', 'a dog'], NEVER, choice);
      expect(asked()).toEqual(['embed', 'tokenize', 'run']);
      const { values, ...rest } = valuesOf(among as EmbeddedItem);
      expect(valuesOf(alone as EmbeddedItem)).toEqual({
        ...rest,
        values: values.map((value) => expect.closeTo(value, 6)),
      });
    },
  );

  it('is looked at before it is run where it has too many tokens', async () => {
    const [cut] = await model.embed([LONG], NEVER, { truncate: true });
    expect(cut).toMatchObject({ tokenCount: 32, truncated: true });
    expect(asked()).toEqual(['embed', 'run']);
    await expect(model.embed([LONG], NEVER, { truncate: false })).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'input[0]',
    });
    expect(asked()).toEqual(['embed', 'run', 'embed']);
  });

  it.each([
    ['it is long', () => model.embed(['word '.repeat(1_000)], NEVER, { truncate: true })],
    [
      'its prompt is long',
      () => model.embed(['a cat'], NEVER, { prompt: ' '.repeat(1_024), truncate: true }),
    ],
    ['it has token ids beside it', () => model.embed(['a cat', [5, 6]], NEVER)],
    ['vectors of its tokens are wanted', () => model.embedTokens(['a cat'], NEVER)],
  ])('goes the long way where %s', async (_, embed) => {
    await embed();
    expect(asked()).not.toContain('embed');
  });

  it('is not alone while another call is under way', async () => {
    await Promise.all([model.embed(['a cat'], NEVER), model.embed(['a dog'], NEVER)]);
    expect(asked()).toEqual(['embed', 'tokenize', 'run']);
  });

  it('that ends two processes is not given to a third', async () => {
    const other = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
    await other.load();
    run.mockImplementation(function (this: ModelProcess, type, task) {
      if (type !== 'tokenize') process.kill(this.pid as number, 'SIGKILL');
      return original.call(this, type, task);
    });
    await expect(other.embed(['a fox'], NEVER)).rejects.toMatchObject({ code: 'inference_failed' });
    expect(asked()).toEqual(['embed', 'tokenize', 'run']);
    await other.unload();
  });

  it('is tried the long way when its process dies, and so are those after it', async () => {
    run.mockImplementationOnce(function (this: ModelProcess, type, task) {
      process.kill(this.pid as number, 'SIGKILL');
      return original.call(this, type, task);
    });
    expect(await model.embed(['a fox'], NEVER)).toHaveLength(1);
    expect(asked()).toEqual(['embed', 'tokenize', 'run']);
    await model.embed(['a hen'], NEVER);
    expect(asked()).toEqual(['embed', 'tokenize', 'run', 'tokenize', 'run']);
  });
});
