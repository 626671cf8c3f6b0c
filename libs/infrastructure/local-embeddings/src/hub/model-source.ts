import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { LocalEmbeddingsConfig } from '../local-embeddings.config.ts';
import { cachedRepository } from '../model/plan/cached-repository.ts';
import { ModelLoadError } from '../model/model-load-error.ts';

/** A folder in Hugging Face layout. */
interface FolderSource {
  readonly kind: 'folder';
  readonly path: string;
}

/** A model of a hub, which is downloaded first. */
export interface HubSource {
  readonly kind: 'hub';
  readonly id: string;
  readonly revision: string;
  /** Where downloaded models are kept. */
  readonly cacheDir: string;
  readonly hubUrl: string;
  /** For models that not everybody may read. Never shown. */
  readonly token?: string | undefined;
}

/** Where a model is. */
export type ModelSource = FolderSource | HubSource;

/** The name under which the bundled model is served. */
const BUNDLED_MODEL_NAME = 'universal-sentence-encoder-lite';

/**
 * Finds out what `model` means and under which name it is served.
 * @param setting what names the model, for errors.
 * @throws ModelLoadError when it names a folder that is not there, or nothing that could be a hub id; for the revision of a folder.
 */
export function resolveModelSource(
  config: Pick<LocalEmbeddingsConfig, 'model' | 'name' | 'revision' | 'cacheDir' | 'hubUrl' | 'hubToken'>,
  bundledModelDir: string | undefined,
  setting = 'config.model',
): { readonly name: string; readonly source: ModelSource } {
  const { model, name, revision, hubUrl, hubToken: token } = config;
  if (model === 'bundled') {
    refuseRevision(revision, setting);
    if (bundledModelDir === undefined)
      throw new ModelLoadError(`No model is bundled here; ${setting} names a folder or a hub id.`);
    assertFolder(bundledModelDir, 'The bundled model is missing; `npm run build` makes it. Expected in');
    return { name: name ?? BUNDLED_MODEL_NAME, source: { kind: 'folder', path: resolve(bundledModelDir) } };
  }
  if (/^[./~]/.test(model) || isFolder(model)) {
    const fault = existsSync(model) ? 'what is no folder' : 'a folder that does not exist';
    assertFolder(model, `${setting} names ${fault}:`);
    refuseRevision(revision, setting);
    const path = resolve(model);
    return { name: name ?? cachedRepository(path) ?? basename(path), source: { kind: 'folder', path } };
  }
  if (!/^[\w.-]+\/[\w.-]{1,96}$/.test(model)) {
    throw new ModelLoadError(
      `${setting} is neither "bundled", nor a folder, nor a hub id like "Xenova/all-MiniLM-L6-v2"`,
    );
  }
  const cacheDir = resolve(config.cacheDir);
  return { name: name ?? model, source: { kind: 'hub', id: model, revision, cacheDir, hubUrl, token } };
}

/** Whoever names one wants the files that it stands for, and would get others. */
function refuseRevision(revision: string, setting: string): void {
  if (revision === 'main') return;
  throw new ModelLoadError(
    `${setting} names no model of the hub, and only those have a revision: EMBEDDING_MODEL_REVISION (\`revision\`) does nothing here`,
  );
}

function assertFolder(path: string, otherwise: string): void {
  if (!isFolder(path)) throw new ModelLoadError(`${otherwise} ${path}`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
