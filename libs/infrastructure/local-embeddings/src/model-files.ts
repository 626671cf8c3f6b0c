import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pooling } from './pooling.ts';
import type { ModelSource } from './worker-protocol.ts';

/** What sentence-transformers keeps beside a model. */
export interface SentenceSettings {
  readonly pooling: Pooling;
  readonly normalise: boolean;
  readonly maxTokens: number | undefined;
}

/** Reads pooling, normalisation and length limit. A model without these files is pooled by mean and normalised. */
export async function readSentenceSettings(source: ModelSource): Promise<SentenceSettings> {
  const [pooling, modules, sentence] = await Promise.all([
    readJson(source, '1_Pooling/config.json'),
    readJson(source, 'modules.json'),
    readJson(source, 'sentence_bert_config.json'),
  ]);
  const limit = asRecord(sentence)['max_seq_length'];
  return {
    pooling: poolingOf(asRecord(pooling)),
    normalise:
      !Array.isArray(modules) || modules.some((part) => /Normalize$/.test(String(asRecord(part)['type']))),
    maxTokens: typeof limit === 'number' ? limit : undefined,
  };
}

function poolingOf(config: Readonly<Record<string, unknown>>): Pooling {
  if (config['pooling_mode_cls_token'] === true) return 'cls';
  if (config['pooling_mode_lasttoken'] === true) return 'lasttoken';
  if (config['pooling_mode_max_tokens'] === true) return 'max';
  return 'mean';
}

async function readJson(source: ModelSource, file: string): Promise<unknown> {
  if (source.kind === 'folder') return parseOrNull(await readOrNull(join(source.path, file)));
  const cached = join(
    source.cacheDir,
    source.id,
    ...(source.revision === 'main' ? [] : [source.revision]),
    file,
  );
  const known = await readOrNull(cached);
  if (known !== null) return parseOrNull(known);
  const text = await download(
    `${source.hubUrl.replace(/\/$/, '')}/${source.id}/resolve/${source.revision}/${file}`,
  );
  await mkdir(dirname(cached), { recursive: true });
  // "There is none" is remembered as well, so that the next start needs no network.
  await writeFile(cached, text ?? 'null');
  return parseOrNull(text);
}

async function download(url: string): Promise<string | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`the hub answered ${response.status} for ${url}`);
  return response.text();
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseOrNull(text: string | null): unknown {
  return text === null ? null : (JSON.parse(text) as unknown);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
