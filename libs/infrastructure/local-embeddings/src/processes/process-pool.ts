import { backoffMs, type Logger } from '@morgan/foundation';
import { folderStamp } from './folder-stamp.ts';
import { ModelProcess, type ProcessCrashedError } from './model-process.ts';
import { ModelLoadError } from '../model/model-load-error.ts';
import { afterRunning } from './running-time.ts';
import type {
  LoadedProcess,
  ProcessOptions,
  ProcessRole,
  Task,
  TaskResult,
  TaskType,
} from './process-protocol.ts';

const RESTART_DELAY = { firstMs: 100, longestMs: 10_000 };
/** Growth since it was loaded above which an idle process is replaced: a share of what it held, and what a warm heap takes in any case. */
const TOLERATED_GROWTH = 0.05;
const TOLERATED_GROWTH_BYTES = 16 * 1024 * 1024;
/** Twice as much is tolerated of a process that has not worked for so many times as long as it loaded: a few calls now and then are not worth it. */
const LOADS_WORTH = 10;

const CHANGED =
  'the files of the model are not those that the first process has read; a restart of the service loads them';
const KEPT =
  'an idle model process keeps its memory: the files of the model have changed since the first one read them; a restart of the service loads them';

/** Called when a pool changes. */
interface PoolEvents {
  /** A process is free. */
  onFree(): void;
  /** A process is started in place of one that crashed, or of an idle one that had grown. */
  onRestart(reason: RestartReason): void;
  /** A crashed process could not be replaced: the model no longer loads. */
  onRestartFailed(error: Error): void;
}

/** Why a process was replaced. */
export type RestartReason = 'crash' | 'memory';

/** What the processes of a pool are. */
interface PoolOptions {
  readonly role: ProcessRole;
  readonly process: ProcessOptions;
  /** A process that is at one task for longer counts as hung, and another takes its place. */
  readonly taskTimeoutMs: number;
  /** The same for one that loads the model. */
  readonly loadTimeoutMs: number;
  /** Idle time after which a process that has grown is replaced, so that its memory comes back. */
  readonly idleRestartMs: number;
}

interface Member {
  readonly process: ModelProcess;
  /** Bytes that it held when it was loaded, pages of files aside. */
  readonly loadedBytes: number;
  readonly loadMs: number;
  workedMs: number;
  idle: NodeJS.Timeout;
}

/** Keeps the wanted number of model processes alive and hands out the free ones. */
export class ProcessPool {
  /** All that run, those that still load included. */
  readonly #processes = new Set<ModelProcess>();
  readonly #members = new Map<ModelProcess, Member>();
  readonly #free: Member[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Crashes and failed loads since the last task that went well. */
  #failuresInARow = 0;
  /** Loading in place of an idle one: what is asked meanwhile waits for them. */
  #replacing = 0;
  #wanted = 0;
  /** Of the files that the first process has read. */
  #digest: string | undefined;
  /** Of the folder of the model, as it is when the first process is started. */
  #stamp: Promise<string | undefined> | undefined;
  #stopping = false;

  constructor(
    private readonly options: PoolOptions,
    private readonly logger: Logger,
    private readonly events: PoolEvents,
  ) {}

  /** Processes that are loaded. */
  get alive(): number {
    return this.#members.size;
  }

  /** Processes that should be loaded. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Whether tasks are served, now or after a process that is just being replaced. */
  get isServing(): boolean {
    return this.#members.size + this.#replacing > 0;
  }

  /** Processes that take a task now. */
  get free(): number {
    return this.#free.length;
  }

  /** Starts one process, so that a model that does not load fails once. @throws ModelLoadError */
  startFirst(): Promise<LoadedProcess> {
    this.#wanted = 1;
    return this.#launch();
  }

  /** Starts the rest of `size` in the background: the first serves meanwhile. */
  growTo(size: number): void {
    for (; this.#wanted < size; this.#wanted += 1) void this.#start();
  }

  /**
   * Runs a task on a free process; call it only while one is `free`.
   * @param onEnd called when the task is over, before its process is free again
   * @throws TaskFailedError, ProcessCrashedError
   */
  async run<Type extends TaskType>(
    type: Type,
    task: Task<Type>,
    onEnd?: () => void,
  ): Promise<TaskResult<Type>> {
    // The one that was busy last: its share of the caches is still warm.
    const member = this.#free.pop();
    if (!member) throw new Error('no model process is free');
    clearTimeout(member.idle);
    const { taskTimeoutMs } = this.options;
    const reason = `it was at one task for more than ${taskTimeoutMs} ms`;
    const endWatch = afterRunning(taskTimeoutMs, () => member.process.giveUp(reason));
    const begunAt = performance.now();
    try {
      const result = await member.process.run(type, task);
      this.#failuresInARow = 0;
      return result;
    } finally {
      endWatch();
      member.workedMs += performance.now() - begunAt;
      onEnd?.();
      this.#release(member);
    }
  }

  /** Ends all processes at once, those that are still loading included. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    for (const { idle } of this.#members.values()) clearTimeout(idle);
    await Promise.all([...this.#processes].map((process) => process.end()));
    this.#members.clear();
    this.#free.length = 0;
  }

  async #launch(): Promise<LoadedProcess> {
    const { role, process: options, loadTimeoutMs } = this.options;
    this.#stamp ??= folderStamp(options.folder);
    const process: ModelProcess = new ModelProcess(role, options, (error) => this.#crashed(process, error));
    this.#processes.add(process);
    const reason = `it was loading for more than ${loadTimeoutMs} ms`;
    const endWatch = afterRunning(loadTimeoutMs, () => process.giveUp(reason));
    const begunAt = performance.now();
    try {
      const loaded = await process.loaded();
      this.#digest ??= loaded.digest;
      if (loaded.digest !== this.#digest) {
        // What it would give is not what cache keys say.
        await process.end();
        throw new ModelLoadError(CHANGED);
      }
      const loadMs = performance.now() - begunAt;
      const idle = setTimeout(() => undefined, 0);
      const member = { process, loadedBytes: loaded.rssBytes - loaded.fileBytes, loadMs, workedMs: 0, idle };
      this.#members.set(process, member);
      this.#release(member);
      return loaded;
    } catch (error) {
      this.#processes.delete(process);
      throw error;
    } finally {
      endWatch();
    }
  }

  #release(member: Member): void {
    if (this.#stopping || !this.#members.has(member.process)) return;
    this.#free.push(member);
    member.idle = setTimeout(() => void this.#checkMemory(member), this.options.idleRestartMs).unref();
    this.events.onFree();
  }

  async #checkMemory(member: Member): Promise<void> {
    const { process, loadedBytes, loadMs, workedMs } = member;
    const none = { rssBytes: 0, fileBytes: 0 };
    const { rssBytes, fileBytes } = await process.run('memory', {}).catch(() => none);
    const heldBytes = rssBytes - fileBytes;
    const isChanged = await this.#isChanged();
    const index = this.#free.indexOf(member);
    const isWorthIt = workedMs >= LOADS_WORTH * loadMs;
    const tolerated = Math.max(loadedBytes * TOLERATED_GROWTH, TOLERATED_GROWTH_BYTES) * (isWorthIt ? 1 : 2);
    if (index < 0 || heldBytes - loadedBytes <= tolerated) return;
    if (isChanged) return this.logger.warn({ role: this.options.role, heldBytes, loadedBytes }, KEPT);
    this.#free.splice(index, 1);
    this.#members.delete(process);
    this.#processes.delete(process);
    this.logger.info(
      { role: this.options.role, heldBytes, loadedBytes },
      'an idle model process is replaced to give its memory back',
    );
    this.#replacing += 1;
    await process.end();
    await this.#restart('memory');
    this.#replacing -= 1;
  }

  /** Whether a process that is started now would find other files, and not be used: a grown one is better than none. */
  async #isChanged(): Promise<boolean> {
    const before = await this.#stamp;
    return before !== undefined && before !== (await folderStamp(this.options.process.folder));
  }

  #crashed(process: ModelProcess, error: ProcessCrashedError): void {
    this.#processes.delete(process);
    const member = this.#members.get(process);
    if (!member || this.#stopping) return;
    clearTimeout(member.idle);
    this.#members.delete(process);
    const index = this.#free.indexOf(member);
    if (index >= 0) this.#free.splice(index, 1);
    this.logger.error(
      { role: this.options.role, pid: process.pid, error },
      'a model process crashed; it is being restarted',
    );
    this.#restartLater();
  }

  #restartLater(): void {
    if (this.#stopping) return;
    const delayMs = backoffMs(this.#failuresInARow, RESTART_DELAY);
    this.#failuresInARow += 1;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      void this.#restart('crash');
    }, delayMs);
    this.#restarts.add(timer);
  }

  async #restart(reason: RestartReason): Promise<void> {
    if (this.#stopping) return;
    this.events.onRestart(reason);
    await this.#start();
  }

  /** Starts one process, and again later where that fails. */
  async #start(): Promise<void> {
    try {
      await this.#launch();
    } catch (error) {
      if (this.#stopping) return;
      this.logger.error({ role: this.options.role, error }, 'a model process could not be started');
      this.events.onRestartFailed(error as Error);
      this.#restartLater();
    }
  }
}
