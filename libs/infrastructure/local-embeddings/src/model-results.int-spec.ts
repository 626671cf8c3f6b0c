import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';

const REFERENCES = join(import.meta.dirname, '../fixture/reference-models');
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

interface ReferenceRow {
  readonly text: string;
  readonly vector: readonly number[] | null;
}

function build(
  folder: string,
  overrides: Partial<LocalEmbeddingsConfig> = {},
  logger: Logger = silentLogger,
) {
  const metrics = new Metrics();
  const config = { ...DEFAULTS, workers: 1, threads: 1, model: folder, ...overrides };
  return { metrics, model: new LocalEmbeddingModel({ config, bundledModelDir: folder, logger, metrics }) };
}

async function rowsOf(folder: string): Promise<readonly ReferenceRow[]> {
  return JSON.parse(await readFile(join(folder, 'ref.json'), 'utf8')) as ReferenceRow[];
}

describe('a model with a weight that is no number', () => {
  const folder = join(REFERENCES, 'bert-nan-token');
  const lines: { readonly message: string; readonly fields: object }[] = [];
  const error: Logger['error'] = (fields, message) => lines.push({ fields, message });
  const { model, metrics } = build(folder, {}, { ...silentLogger, error });
  beforeAll(() => model.load());
  afterAll(() => model.unload());

  it('refuses the input that it touches with place and cause, and serves the others', async () => {
    const rows = await rowsOf(folder);
    const calls = await Promise.allSettled(rows.map(({ text }) => model.embed([text], context)));
    rows.forEach(({ vector }, index) => {
      const call = calls[index];
      expect(call?.status).toBe(vector ? 'fulfilled' : 'rejected');
      if (call?.status !== 'fulfilled') return;
      call.value[0]?.vector.forEach((value, at) => expect(value).toBeCloseTo(vector?.[at] as number, 5));
    });
    await expect(model.embed(['hello world', 'a'], context)).rejects.toMatchObject({
      code: 'vector_not_finite',
      status: 500,
      param: 'input[1]',
      message: expect.stringMatching(
        /value \d+ of the vector is NaN; the graph gave it so, first at token \d/,
      ),
    });
  });

  it('counts and logs it, without the text', async () => {
    const faulty = (await rowsOf(folder)).filter(({ vector }) => !vector).length + 1;
    expect(await metrics.render()).toContain(
      `morgan_embedding_faulty_vectors_total{model="${model.id}"} ${faulty}`,
    );
    expect(lines).toHaveLength(faulty);
    expect(lines[0]).toMatchObject({ message: 'the model gave a vector that is not finite' });
    expect(JSON.stringify(lines)).not.toContain('NEW YORK');
  });

  it('tells of the vectors of the others, though the call fails', async () => {
    const rows = await rowsOf(folder);
    const good = rows.filter(({ text, vector }) => vector && text.length > 8).slice(0, 3);
    const heard = new Map<number, Float32Array>();
    const onItem = (index: number, { vector }: { vector: Float32Array }) => heard.set(index, vector);
    // The bad one is the shortest, and so the first of its batch.
    const failing = model.embed([...good.map(({ text }) => text), 'a'], context, { onItem });
    await expect(failing).rejects.toMatchObject({ code: 'vector_not_finite', param: 'input[3]' });
    expect([...heard.keys()].sort()).toEqual([0, 1, 2]);
    for (const [index, vector] of heard)
      vector.forEach((value, at) => expect(value).toBeCloseTo(good[index]?.vector?.[at] as number, 5));
  });
});

describe('a model with prompts', () => {
  const { model } = build(join(REFERENCES, 'bert-prompts'));
  beforeAll(() => model.load());
  afterAll(() => model.unload());

  it('puts its default prompt, or the one that a call names, before a text', async () => {
    const [byDefault] = await model.embed(['a cat'], context);
    const [named] = await model.embed(['a cat'], context, { promptName: 'query' });
    const [other] = await model.embed(['a cat'], context, { promptName: 'document' });
    expect(named?.vector).toEqual(byDefault?.vector);
    expect(other?.vector).not.toEqual(byDefault?.vector);
    expect(model.getInfo()).toMatchObject({
      prompts: { query: 'query: ', document: 'passage: ' },
      defaultPrompt: 'query',
    });
  });

  it('puts a prompt of the caller in place of its own, once, and none where that is empty', async () => {
    const [named] = await model.embed(['a cat'], context, { promptName: 'document' });
    const [own] = await model.embed(['a cat'], context, { prompt: 'passage: ' });
    const [bare] = await model.embed(['passage: a cat'], context, { prompt: '' });
    const [byDefault] = await model.embed(['a cat'], context);
    expect(own).toEqual(named);
    expect(bare).toEqual(named);
    expect(bare?.vector).not.toEqual(byDefault?.vector);
  });

  it('leaves the tokens of a prompt out of the mean where the model does, whoever wrote the prompt', async () => {
    const { model: excluding } = build(join(REFERENCES, 'bert-prompt-excluded'));
    await excluding.load();
    const { byName } = excluding.prompts;
    for (const [promptName, prompt] of Object.entries(byName)) {
      const [named] = await excluding.embed(['a cat'], context, { promptName });
      expect(await excluding.embed(['a cat'], context, { prompt })).toEqual([named]);
    }
    expect(Object.keys(byName).length).toBeGreaterThan(0);
    await excluding.unload();
  });

  it('keeps prompts apart in cache keys', () => {
    expect(model.fingerprint('query')).toBe(model.fingerprint());
    expect(model.fingerprint('document')).not.toBe(model.fingerprint());
  });

  it('refuses a prompt that it does not have, or before token ids', async () => {
    await expect(model.embed(['a'], context, { promptName: 'haiku' })).rejects.toMatchObject({
      code: 'invalid_value',
      param: 'prompt_name',
      message: expect.stringContaining("no prompt 'haiku'; its prompts are: "),
    });
    await expect(model.embed([[5]], context, { promptName: 'query' })).rejects.toMatchObject({
      code: 'invalid_value',
    });
    const unlisted = model.embed('a' as unknown as string[], context, { promptName: 'query' });
    await expect(unlisted).rejects.toMatchObject({ code: 'invalid_value', param: 'input' });
  });

  it('refuses one that leaves a text no room', async () => {
    await expect(model.embed(['a cat'], context, { prompt: 'a '.repeat(30) })).rejects.toMatchObject({
      code: 'invalid_value',
      param: 'input[0]',
      message: expect.stringContaining('The prompt before the input has 31 tokens, and the model takes 32'),
    });
    const uncut = model.embed(['a cat'], context, { prompt: 'a '.repeat(28), truncate: false });
    await expect(uncut).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringContaining('The input and its prompt have more than 32 tokens'),
    });
  });

  it('refuses one for which all tokens are left out that are read, where texts are cut on the left', async () => {
    const cutLeft = await mkdtemp(join(tmpdir(), 'morgan-results-'));
    await cp(join(REFERENCES, 'bert-prompt-excluded'), cutLeft, { recursive: true });
    const file = join(cutLeft, 'tokenizer_config.json');
    const settings = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...settings, truncation_side: 'left' }));
    const { model: excluding } = build(cutLeft);
    try {
      await excluding.load();
      await expect(excluding.embed(['a cat'], context, { prompt: 'a '.repeat(31) })).rejects.toMatchObject({
        code: 'invalid_value',
        param: 'input[0]',
        message: expect.stringContaining('The prompt before the input has 32 tokens, and the model takes 32'),
      });
      const [item] = await excluding.embed(['a cat'], context, { prompt: 'a '.repeat(30) });
      expect(item?.truncated).toBe(true);
    } finally {
      await excluding.unload();
      await rm(cutLeft, { recursive: true });
    }
  });

  it('may be configured to use another one', async () => {
    const { model: configured } = build(join(REFERENCES, 'bert-prompts'), { promptName: 'document' });
    const { model: wrong } = build(join(REFERENCES, 'bert-prompts'), { promptName: 'haiku' });
    try {
      await configured.load();
      const [item] = await configured.embed(['a cat'], context);
      const [expected] = await model.embed(['a cat'], context, { promptName: 'document' });
      expect(item?.vector).toEqual(expected?.vector);
      await expect(wrong.load()).rejects.toThrow(/EMBEDDING_PROMPT_NAME is haiku.*query/);
    } finally {
      await Promise.all([configured.unload(), wrong.unload()]);
    }
  });
});

describe('a graph that fails on an input', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'morgan-results-'));
    await cp(join(REFERENCES, 'bert-mean'), folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("gives the runtime's reason in error and log", async () => {
    const lines: object[] = [];
    const error: Logger['error'] = (fields) => lines.push(fields);
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    // More than the table of the graph has: ids beyond it pass the check.
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, vocab_size: 100_000 }));
    const { model } = build(folder, {}, { ...silentLogger, error });
    await model.load();
    try {
      await expect(model.embed([[5], [99_999]], context)).rejects.toMatchObject({
        code: 'inference_failed',
        param: 'input[1]',
        message: expect.stringMatching(/indices element out of data bounds, idx=99999/),
      });
      expect(JSON.stringify(lines)).toContain('idx=99999');
    } finally {
      await model.unload();
    }
  });
});

describe('a text without any token', () => {
  it('is refused by its place: zeros would look like a vector', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-no-tokens-'));
    await cp(join(REFERENCES, 'bert-mean'), folder, { recursive: true });
    const file = join(folder, 'tokenizer.json');
    const definition = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...definition, post_processor: null }));
    const { model } = build(folder);
    try {
      await model.load();
      await expect(model.embed(['hello', ' '], context)).rejects.toMatchObject({
        code: 'invalid_value',
        status: 400,
        param: 'input[1]',
      });
    } finally {
      await model.unload();
      await rm(folder, { recursive: true });
    }
  });
});

describe('the vectors of tokens', () => {
  it('are refused where the graph pools by itself', async () => {
    const { model } = build(join(REFERENCES, 'bert-graph-pools'));
    await model.load();
    await expect(model.embedTokens(['a'], context)).rejects.toMatchObject({ code: 'unsupported_by_model' });
    await model.unload();
  });

  it('have a limit of their number in one call', async () => {
    const { model } = build(join(REFERENCES, 'bert-mean'));
    await model.load();
    const { tokenDimensions = 0, maxTokens = 0 } = model.getInfo();
    const most = Math.floor(4_194_304 / tokenDimensions);
    const row = new Array<number>(maxTokens).fill(5);
    const calls = new Array<number[]>(Math.floor(most / maxTokens) + 1).fill(row);
    await expect(model.embedTokens(calls, context)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'inputs',
      message: expect.stringContaining(`more than ${most} tokens`),
    });
    expect((await model.embedTokens([row], context))[0]?.vector).toHaveLength(maxTokens * tokenDimensions);
    await model.unload();
  });

  it('are checked: a token whose vector is no number is an error of its text, with its place', async () => {
    const folder = join(REFERENCES, 'bert-nan-token');
    const { model } = build(folder);
    await model.load();
    const rows = await rowsOf(folder);
    const calls = await Promise.allSettled(rows.map(({ text }) => model.embedTokens([text], context)));
    expect(calls.map(({ status }) => status)).toEqual(
      rows.map(({ vector }) => (vector ? 'fulfilled' : 'rejected')),
    );
    const bad = calls.find((call) => call.status === 'rejected');
    expect(bad?.reason).toMatchObject({ code: 'vector_not_finite', param: 'inputs[0]' });
    await model.unload();
  });
});
