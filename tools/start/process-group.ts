import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const EXIT_WITH_PARENT = pathToFileURL(join(import.meta.dirname, 'exit-with-parent.mjs')).href;

/** A process that ended although nobody had asked it to. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly';

  constructor(process: string, how: string) {
    super(`${process} ended ${how}; its reason is above, everything else was stopped.`);
  }
}

interface Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exit: Promise<unknown>;
}

/**
 * The Node processes of one launch. They write to the launcher's own output, are shielded from Ctrl-C so that the
 * launcher decides the order in which they stop, and end by themselves when the launcher is gone.
 */
export class ProcessGroup {
  readonly #members: Member[] = [];
  readonly #failed = new AbortController();

  /** Aborted, with an EndedEarly as its reason, when a process ends before `stop`. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  start(name: string, program: string, env: NodeJS.ProcessEnv): void {
    const child = spawn(process.execPath, ['--import', EXIT_WITH_PARENT, program], {
      env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    child.once('exit', (code, signal) =>
      this.#failed.abort(new EndedEarly(name, signal ? `on ${signal}` : `with code ${code}`)),
    );
    this.#members.push({ name, child, exit: once(child, 'exit') });
  }

  /**
   * Stops the processes one after the other, the last one started first, so that each still finds what it depends on.
   * @returns the names of those that did not end within the grace period and were killed.
   */
  async stop(graceMs: number): Promise<string[]> {
    const killed: string[] = [];
    for (const { name, child, exit } of this.#members.reverse()) {
      const isRunning = child.exitCode === null && child.signalCode === null;
      if (!isRunning) continue;
      child.kill('SIGTERM');
      const timer = setTimeout(() => {
        killed.push(name);
        child.kill('SIGKILL');
      }, graceMs);
      await exit;
      clearTimeout(timer);
    }
    return killed;
  }
}
