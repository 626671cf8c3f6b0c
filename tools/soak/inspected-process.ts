import { waitFor } from '@morgan/testing';
import type { RunningService } from '@morgan/testing';

/** What a process holds. */
export interface Held {
  readonly heapBytes: number;
  /** Sockets, timers and the like that keep it alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners of `process`. */
  readonly listeners: number;
}

/** Options of Node with which a process can be looked into. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

const EXPRESSION = `JSON.stringify({
  heapBytes: process.memoryUsage().heapUsed,
  resources: process.getActiveResourcesInfo(),
  listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
})`;

/** Looks into a running service from outside, through Node's inspector: the service needs nothing for it. */
export class InspectedProcess {
  #lastId = 0;
  readonly #waiting = new Map<number, (result: unknown) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id !== undefined) this.#waiting.get(id)?.(result);
    });
  }

  static async of({ logs }: RunningService): Promise<InspectedProcess> {
    const said = () => logs.map(({ text }) => /ws:\/\/\S+/.exec(String(text))?.[0]).find(Boolean);
    await waitFor(() => said() !== undefined, { what: 'the inspector' });
    const socket = new WebSocket(said() as string);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the inspector cannot be reached')));
    });
    return new InspectedProcess(socket);
  }

  /** After garbage collection, twice: what finalizers let go counts as gone. */
  async held(): Promise<Held> {
    await this.#ask('HeapProfiler.collectGarbage');
    await this.#ask('HeapProfiler.collectGarbage');
    const { result } = (await this.#ask('Runtime.evaluate', { expression: EXPRESSION })) as {
      result: { value: string };
    };
    const { resources, ...held } = JSON.parse(result.value) as Held & { resources: string[] };
    const counts: Record<string, number> = {};
    for (const kind of resources) counts[kind] = (counts[kind] ?? 0) + 1;
    return { ...held, resources: counts };
  }

  close(): void {
    this.socket.close();
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
