import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelProcessEnv } from './model-process-env.ts';
import { ModelLoadError } from '../model/model-load-error.ts';
import type {
  LoadedProcess,
  ProcessOptions,
  ProcessReply,
  ProcessRequest,
  ProcessRole,
  Task,
  TaskResult,
  TaskType,
} from './process-protocol.ts';

/** The process ended while it was at work. */
export class ProcessCrashedError extends Error {
  override readonly name = 'ProcessCrashedError';
  /** Whether what it was at may have ended it; it has not where the process gave up by itself. */
  readonly mayBeOfInput: boolean;

  constructor(
    message: string,
    { mayBeOfInput = true, ...options }: ErrorOptions & { readonly mayBeOfInput?: boolean } = {},
  ) {
    super(message, options);
    this.mayBeOfInput = mayBeOfInput;
  }
}

/** The process refused a task and goes on. */
class TaskFailedError extends Error {
  override readonly name = 'TaskFailedError';
}

interface Pending {
  readonly resolve: (result: TaskResult<TaskType>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The service's side of one model process. Native code runs in processes, not in threads: a process can be ended at any
 * moment without harm to the service, a crash takes nobody with it, and all its memory comes back.
 */
export class ModelProcess {
  readonly #child: ChildProcess;
  readonly #onCrash: (error: ProcessCrashedError) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #loaded = Promise.withResolvers<LoadedProcess>();
  #nextId = 0;
  #ended = false;
  #over = false;
  /** Why it was ended, or ends itself, though it was needed. */
  #givenUp: string | undefined;
  #endsItself = false;

  /** @param onCrash called when the process ended without being asked to. */
  constructor(role: ProcessRole, options: ProcessOptions, onCrash: (error: ProcessCrashedError) => void) {
    this.#onCrash = onCrash;
    // Whoever asks late still hears of it, and nobody has to.
    this.#loaded.promise.catch(() => undefined);
    // Source runs `.ts`, a build runs `.js`; flags of this process, such as preloads, are not for the other one.
    const entry = fileURLToPath(new URL(`./model.process${extname(import.meta.url)}`, import.meta.url));
    // The role is for whoever looks at a list of processes.
    this.#child = fork(entry, [role], {
      execArgv: ['--expose-gc'],
      env: modelProcessEnv(role),
      serialization: 'advanced',
      // Its standard output would mix with the log.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => this.#receive(message as ProcessReply));
    this.#child.once('error', (error) => this.#end(error));
    this.#child.once('exit', (code, signal) =>
      this.#end(
        new Error(this.#givenUp ?? (signal ? `it was ended by ${signal}` : `it exited with code ${code}`)),
      ),
    );
    this.#send({ type: 'load', role, options });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the model is loaded and warm. @throws ModelLoadError */
  loaded(): Promise<LoadedProcess> {
    return this.#loaded.promise;
  }

  /** @throws TaskFailedError, ProcessCrashedError */
  run<Type extends TaskType>(type: Type, task: Task<Type>): Promise<TaskResult<Type>> {
    if (this.#over) return Promise.reject(new ProcessCrashedError('the model process is gone'));
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise<TaskResult<Type>>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve, reject });
      this.#send({ ...task, type, id } as ProcessRequest);
    });
  }

  /** Ends the process at once, whatever it is doing, and waits until it is gone. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#over) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /** Ends a process that does not come to an end of what it is at: whoever waits for it meets a crash with this reason. */
  giveUp(reason: string): void {
    this.#givenUp = reason;
    this.#child.kill('SIGKILL');
  }

  #send(request: ProcessRequest): void {
    // What cannot be sent any more is answered by the end of the process. One that was never started, because this one may
    // open no more files, has no way to it either.
    const child: Partial<ChildProcess> = this.#child;
    child.send?.(request, () => undefined);
  }

  #receive(message: ProcessReply): void {
    switch (message.type) {
      case 'loaded':
        return this.#loaded.resolve(message.loaded);
      case 'load-failed':
        this.#ended = true;
        return this.#loaded.reject(new ModelLoadError(message.reason));
      case 'result':
        return this.#settle(message.id, ({ resolve }) => resolve(message.result));
      case 'task-failed':
        return this.#settle(message.id, ({ reject }) => reject(new TaskFailedError(message.reason)));
      case 'giving-up':
        this.#givenUp = message.reason;
        this.#endsItself = true;
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
    const mayBeOfInput = !this.#endsItself;
    const error = new ProcessCrashedError(`the model process ended: ${cause.message}`, {
      cause,
      mayBeOfInput,
    });
    this.#loaded.reject(new ModelLoadError(error.message, { cause }));
    for (const id of [...this.#pending.keys()]) this.#settle(id, ({ reject }) => reject(error));
    if (!this.#ended) this.#onCrash(error);
  }
}
