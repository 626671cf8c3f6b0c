import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Digests,
  type FolderContent,
  isCurrent,
  MANIFEST,
  replaceFolder,
  sha256,
} from './model-folder.ts';
import { configJson, modelCard, SOURCE } from './use-lite.card.ts';
import { tokenizerConfigJson } from './use-lite.tokenizer.ts';

const WORKSPACE_ROOT = join(import.meta.dirname, '../..');

/** Where the bundled model goes unless told otherwise. */
export const DEFAULT_OUT_DIR = join(WORKSPACE_ROOT, 'dist/models/universal-sentence-encoder-lite');

// The conversion is deterministic, so these pin both the source weights and the code that converts them.
const CONVERTED: Digests = {
  'onnx/model.onnx': '0656567b0c8bc6aa317adbc85e311a6f44578383d849b0cb94e6bb6d78eee161',
  'tokenizer.json': 'f5161a5c6b314d73adced641fce2fd9a7dedde13253e7c9b4c97268e95d383a3',
  LICENSE: '4458503dd48e88c4e0b945fb252a08b93c40ec757309b8ffa7c594dfa1e35104',
};

/** Options of {@link prepareBundledModel}. */
interface PrepareOptions {
  readonly outDir?: string;
  readonly log?: (line: string) => void;
}

/** Makes sure the bundled embedding model is at `outDir`, complete and unaltered; converts it when it is not. */
export async function prepareBundledModel({
  outDir = DEFAULT_OUT_DIR,
  log = console.log,
}: PrepareOptions = {}): Promise<void> {
  const written = writtenFiles();
  const digests = { ...CONVERTED, ...digestsOf(written) };
  const manifest = asJson({ source: SOURCE, sha256: digests });
  const isDone = () => isCurrent(outDir, manifest, digests);
  if (await isDone()) return log('bundled model: up to date');

  // Loaded late: the encoder behind it would triple the time of the check above.
  const { convertUseLite } = await import('./use-lite.conversion.ts');
  const converted = await convertUseLite();
  assertPinned(converted);
  await replaceFolder(outDir, { ...converted, ...written, [MANIFEST]: manifest }, isDone);
  log(`bundled model: written to ${relative(process.cwd(), outDir) || '.'}`);
}

function writtenFiles(): FolderContent {
  return {
    'config.json': asJson(configJson()),
    'tokenizer_config.json': asJson(tokenizerConfigJson()),
    'README.md': modelCard(),
  };
}

function assertPinned(converted: FolderContent): void {
  const actual = digestsOf(converted);
  for (const [path, expected] of Object.entries(CONVERTED)) {
    if (actual[path] !== expected) {
      throw new Error(
        `${path} came out with sha256 ${actual[path]} instead of ${expected}, so nothing was written; ` +
          `the source package or the conversion code has changed`,
      );
    }
  }
}

function digestsOf(content: FolderContent): Digests {
  return Object.fromEntries(Object.entries(content).map(([path, bytes]) => [path, sha256(bytes)]));
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({ options: { out: { type: 'string' } } });
    await prepareBundledModel(values.out === undefined ? {} : { outDir: resolve(values.out) });
  } catch (error) {
    console.error(`bundled model: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
