import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ModelLoadError } from './model/model-load-error.ts';
import type { ModelInfo } from './model/embedding-model.types.ts';
import type {
  BatchItem,
  BatchResult,
  WorkerMessage,
  WorkerOptions,
  WorkerRequest,
} from './worker-protocol.ts';

/** The worker thread ended while it was at work. */
export class WorkerCrashedError extends Error {
  override readonly name = 'WorkerCrashedError';
}

/** The model refused a batch; the worker goes on. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
}

interface Pending {
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's side of one inference worker. */
export class InferenceWorker {
  readonly #thread: Worker;
  readonly #onCrash: (error: WorkerCrashedError) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #loaded = Promise.withResolvers<ModelInfo>();
  #nextId = 0;
  #stopping = false;
  #over = false;

  /** @param onCrash told when the thread ended without being asked to. */
  constructor(options: WorkerOptions, onCrash: (error: WorkerCrashedError) => void) {
    this.#onCrash = onCrash;
    // Source runs `.ts`, a build runs `.js`; flags of this process, such as preloads, are not for the worker.
    const entry = new URL(`./inference.worker${extname(import.meta.url)}`, import.meta.url);
    this.#thread = new Worker(entry, { workerData: options, execArgv: [], name: 'inference' });
    this.#thread.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#thread.once('error', (error: Error) => this.#end(error));
    this.#thread.once('exit', (code) => this.#end(new Error(`it exited with code ${code}`)));
  }

  /** Resolves when the model is loaded and warm. @throws ModelLoadError */
  loaded(): Promise<ModelInfo> {
    return this.#loaded.promise;
  }

  /** @throws InferenceError, WorkerCrashedError */
  run(items: readonly BatchItem[]): Promise<BatchResult> {
    if (this.#over) return Promise.reject(new WorkerCrashedError('the inference worker is gone'));
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send({ type: 'batch', id, items });
    });
  }

  /** Lets the thread end itself, at the latest when the run of the graph that it is in is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#over) return;
    const exit = new Promise((resolve) => this.#thread.once('exit', resolve));
    this.#send({ type: 'stop' });
    await exit;
  }

  #send(request: WorkerRequest): void {
    this.#thread.postMessage(request);
  }

  #receive(message: WorkerMessage): void {
    switch (message.type) {
      case 'loaded':
        return this.#loaded.resolve(message.info);
      case 'load-failed':
        this.#stopping = true;
        return this.#loaded.reject(new ModelLoadError(message.reason));
      case 'result':
        return this.#settle(message.id, ({ resolve }) => resolve(message));
      case 'batch-failed':
        return this.#settle(message.id, ({ reject }) => reject(new InferenceError(message.reason)));
    }
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  #end(cause: Error): void {
    if (this.#over) return;
    this.#over = true;
    const error = new WorkerCrashedError(`the inference worker ended: ${cause.message}`, { cause });
    this.#loaded.reject(new ModelLoadError(error.message, { cause }));
    for (const id of [...this.#pending.keys()]) this.#settle(id, ({ reject }) => reject(error));
    if (!this.#stopping) this.#onCrash(error);
  }
}
