import { AppError, type CallContext, callStopped, type Logger, silentLogger } from '@morgan/foundation';
import { ModelLoadError, NoRoomError } from '@morgan/local-embeddings';
import { DeadlinePolicy } from '@morgan/retry';
import type { EmbeddingModel } from '../embeddings/embedding-model.ts';

/** A model that could not be loaded is not tried again for so long. */
const REST_MS = 10_000;
/** The name that means the first model of the kind that is needed. */
const DEFAULT_NAME = 'default';
/** The same, as Infinity's clients send it where they are told no name. */
const OF_INFINITY = 'default/not-specified';

/** How models are kept. */
interface ServedModelsOptions {
  /** Idle time after which a model besides the first is unloaded; 0: never. */
  readonly idleMs?: number;
  readonly logger?: Logger;
}

interface Entry {
  readonly model: EmbeddingModel;
  /** Calls that use it now. */
  users: number;
  lastUsedAt: number;
  isLoaded: boolean;
  loading?: Promise<void> | undefined;
  idle?: NodeJS.Timeout | undefined;
  restsUntil: number;
}

/**
 * The models of this service. The first is loaded at the start and stays; each other one is loaded by the first call that
 * names it, and unloaded when it has been idle, or when one that is to be loaded needs its memory: the one that was used
 * least recently first, and never one that is in use.
 */
export class ServedModels {
  readonly #entries: readonly Entry[];
  readonly #idleMs: number;
  readonly #logger: Logger;
  readonly #deadline = new DeadlinePolicy();
  /** Loads come one after the other: each must know what memory the one before it has left. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopping = false;

  /** @throws ModelLoadError where two have the same name, or one is called `default` */
  constructor(
    models: readonly [EmbeddingModel, ...EmbeddingModel[]],
    { idleMs = 0, logger = silentLogger }: ServedModelsOptions = {},
  ) {
    const names = models.map(({ id }) => id);
    const unnamed = names.find(isDefault);
    if (unnamed !== undefined)
      throw new ModelLoadError(`'${unnamed}' means the first model; give the one of that name another`);
    const taken = names.find((name, index) => names.indexOf(name) !== index);
    if (taken !== undefined)
      throw new ModelLoadError(
        `'${taken}' cannot be the name of two models; give one another, as in EMBEDDING_FURTHER_MODELS="NAME=MODEL"`,
      );
    this.#entries = models.map((model) => ({
      model,
      users: 0,
      lastUsedAt: 0,
      isLoaded: false,
      restsUntil: 0,
    }));
    this.#idleMs = idleMs;
    this.#logger = logger;
  }

  /** The model of calls that name none. */
  get first(): EmbeddingModel {
    return this.#first.model;
  }

  /** All of them, with whether each is loaded. */
  list(): readonly { readonly model: EmbeddingModel; readonly isLoaded: boolean }[] {
    return this.#entries.map(({ model, isLoaded }) => ({ model, isLoaded }));
  }

  /** By name, loaded or not; the first where no name is given. @throws AppError `model_not_found` */
  named(wanted = DEFAULT_NAME): EmbeddingModel {
    if (isDefault(wanted)) return this.first;
    const found = this.#entries.find(({ model }) => model.id === wanted);
    if (found) return found.model;
    const names = this.#entries.map(({ model }) => `'${model.id}'`);
    const message = `This service serves ${names.join(', ')}, the first also as '${DEFAULT_NAME}', and no other model.`;
    throw new AppError('model_not_found', message, { param: 'model' });
  }

  /** As {@link named}; where no name is given the first that ranks, or the first, which says that it does not. */
  async forRanking(wanted = DEFAULT_NAME): Promise<EmbeddingModel> {
    if (!isDefault(wanted)) return this.named(wanted);
    for (const { model } of this.#entries) if ((await model.kind()) === 'ranking') return model;
    return this.first;
  }

  /** Loads the first model. @throws ModelLoadError */
  async start(): Promise<void> {
    await this.first.load();
    this.#first.isLoaded = true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { idle } of this.#entries) clearTimeout(idle);
    await Promise.all(this.#entries.map(({ model }) => model.unload()));
  }

  /**
   * Does `work` with the model, which is loaded first where it is not, and stays meanwhile.
   * @throws AppError `model_loading` where it cannot be loaded, `deadline_exceeded`, and what `work` throws
   */
  use<Result>(model: EmbeddingModel, context: CallContext, work: () => Promise<Result>): Promise<Result> {
    const entry = this.#entries.find((its) => its.model === model);
    // The first is loaded by the start, and says itself that it is not there yet.
    return !entry || entry === this.#first ? work() : this.#useLoaded(entry, context, work);
  }

  async #useLoaded<Result>(entry: Entry, context: CallContext, work: () => Promise<Result>): Promise<Result> {
    entry.users += 1;
    clearTimeout(entry.idle);
    try {
      if (!entry.isLoaded)
        await this.#deadline.execute(({ signal }) => untilAborted(this.#load(entry), signal), context);
      return await work();
    } finally {
      entry.users -= 1;
      entry.lastUsedAt = performance.now();
      if (entry.users === 0) this.#unloadWhenIdle(entry);
    }
  }

  get #first(): Entry {
    return this.#entries[0] as Entry;
  }

  #load(entry: Entry): Promise<void> {
    if (performance.now() < entry.restsUntil) return Promise.reject(notLoadable(entry.model));
    if (entry.loading) return entry.loading;
    const loading = this.#turn.then(() => this.#loadNow(entry)).finally(() => (entry.loading = undefined));
    // Only here: for each call that joins a load, whatever waits behind it would lose its turn.
    this.#turn = loading.catch(() => undefined);
    entry.loading = loading;
    return loading;
  }

  async #loadNow(entry: Entry): Promise<void> {
    for (;;) {
      // A load that still waits for its turn, too.
      if (this.#stopping) throw notLoadable(entry.model);
      try {
        await entry.model.load();
        entry.isLoaded = true;
        // Whoever wanted it may have gone meanwhile.
        if (entry.users === 0) this.#unloadWhenIdle(entry);
        return;
      } catch (error) {
        if (this.#stopping) throw notLoadable(entry.model);
        const other = isAboutRoom(error) ? this.#leastRecentlyUsed() : undefined;
        if (!other) {
          this.#logger.error({ model: entry.model.id, error }, 'a model could not be loaded');
          entry.restsUntil = performance.now() + REST_MS;
          throw notLoadable(entry.model);
        }
        await this.#unload(other, 'another one needs its memory');
      }
    }
  }

  #leastRecentlyUsed(): Entry | undefined {
    return this.#entries
      .filter((entry) => entry !== this.#first && entry.isLoaded && entry.users === 0)
      .sort((one, other) => one.lastUsedAt - other.lastUsedAt)[0];
  }

  #unloadWhenIdle(entry: Entry): void {
    if (this.#idleMs === 0) return;
    const unload = () => {
      if (entry.isLoaded && entry.users === 0) void this.#unload(entry, 'it was idle');
    };
    clearTimeout(entry.idle);
    entry.idle = setTimeout(unload, this.#idleMs).unref();
  }

  async #unload(entry: Entry, reason: string): Promise<void> {
    entry.isLoaded = false;
    clearTimeout(entry.idle);
    this.#logger.info({ model: entry.model.id, reason }, 'a model is unloaded');
    const unloaded = entry.model.unload();
    // Nobody loads it while it is being taken down.
    this.#turn = Promise.all([this.#turn, unloaded]).catch(() => undefined);
    await unloaded;
  }
}

function isAboutRoom(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof NoRoomError;
}

function notLoadable({ id }: EmbeddingModel): AppError {
  const message = `The model '${id}' cannot be loaded now. The log of the service has the reason.`;
  return new AppError('model_loading', message, { param: 'model', retryAfterMs: REST_MS });
}

/** Rejects as soon as the caller is gone or out of time; the work goes on for the next one. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const stop = Promise.withResolvers<never>();
  const abort = () => stop.reject(callStopped(signal));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, stop.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function isDefault(name: string): boolean {
  return name === DEFAULT_NAME || name === OF_INFINITY;
}
