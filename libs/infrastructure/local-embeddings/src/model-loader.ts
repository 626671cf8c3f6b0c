import type { Logger } from '@morgan/foundation';
import type { HttpClientOptions } from '@morgan/http-client';
import { downloadModel } from './hub/model-download.ts';
import { weightsBytes } from './hub/model-files.ts';
import type { ModelSource } from './hub/model-source.ts';
import type { ModelInfo } from './model/embedding-model.types.ts';
import { ModelLoadError } from './model/model-load-error.ts';
import { openFolder, readPlan } from './model/plan/plan.reader.ts';
import type { ModelMemory } from './model-memory.ts';
import type { ProcessOptions } from './processes/process-protocol.ts';
import type { InferenceEngine } from './scheduling/inference-engine.ts';

/** What a model is loaded with. */
interface ModelLoaderOptions {
  readonly source: ModelSource;
  readonly process: ProcessOptions;
  readonly engine: InferenceEngine;
  readonly memory: ModelMemory;
  readonly logger: Logger;
  readonly proxy: HttpClientOptions['proxy'];
  /** The model is loaded, after so many milliseconds. */
  readonly onLoaded: (loadMs: number) => void;
}

/** Gets a model where it is in a hub, loads it into the processes of an engine, and ends these again. */
export class ModelLoader {
  #unloading = new AbortController();
  #loading: Promise<void> | undefined;
  #downloaded: Promise<void> = Promise.resolve();
  #info: ModelInfo | undefined;
  #loadedAt = 0;

  constructor(private readonly options: ModelLoaderOptions) {}

  /** What the loaded model is; none while it is not loaded. */
  get info(): ModelInfo | undefined {
    return this.#info;
  }

  /** When it was loaded, in seconds since 1970; 0 before that. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** Called again before {@link unload}, it waits for the same load. @throws ModelLoadError saying what to mend. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Ends the processes at once, and the download. Afterwards it may be loaded again. */
  async unload(): Promise<void> {
    this.#info = undefined;
    this.#loading = undefined;
    this.#unloading.abort();
    await Promise.all([
      this.options.engine.stop(),
      // What it has written of a file is taken away before the process ends.
      this.#downloaded.catch(() => undefined),
    ]);
  }

  async #load(): Promise<void> {
    const { process, engine, memory, onLoaded } = this.options;
    const startedAt = performance.now();
    this.#unloading = new AbortController();
    const { signal } = this.#unloading;
    try {
      this.#downloaded = this.#download(signal);
      await this.#downloaded;
      const bytes = await weightsBytes(process.folder, process.model);
      // Processes that start now would be ended by nobody.
      if (signal.aborted) throw new ModelLoadError('it was unloaded meanwhile');
      memory.expect(bytes);
      this.#info = await engine.start();
      this.#loadedAt = Math.floor(Date.now() / 1000);
    } catch (error) {
      // After an unload another load may have begun.
      if (!signal.aborted) this.#loading = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelLoadError(`The embedding model ${this.#whereFrom()} cannot be loaded: ${reason}`, {
        cause: error,
      });
    }
    onLoaded(Math.round(performance.now() - startedAt));
  }

  async #download(signal: AbortSignal): Promise<void> {
    const { source, process, logger, proxy } = this.options;
    if (source.kind !== 'hub') return;
    const choice = process.model;
    const check = () => readPlan(openFolder(process.folder), choice);
    await downloadModel({ source, choice, check, logger, signal, proxy });
  }

  #whereFrom(): string {
    const { source } = this.options;
    return source.kind === 'folder'
      ? `in ${source.path}`
      : `${source.id} (from ${source.hubUrl}, kept in ${source.cacheDir})`;
  }
}
