import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Whom a load is sent to: a gateway, or the host itself. */
export interface Target {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** A chat completion as it goes over the wire. */
export function chatRequest({ origin, headers }: Target, prompt: string, stream: boolean): Buffer {
  const messages = [{ role: 'user', content: prompt }];
  const body = JSON.stringify({ model: 'bench', messages, ...(stream && { stream }) });
  const fields = {
    host: new URL(origin).host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(['POST /v1/chat/completions HTTP/1.1', ...lines, '', body].join('\r\n'));
}

/**
 * A kept connection of a caller with one request at a time. It knows just enough of HTTP to find the end of a response: a
 * client that does more would take the processor time that the gateways are to be measured with.
 */
export class WireConnection {
  readonly #socket: Socket;
  #head: string | undefined = '';
  /** Bytes of the body that are to come; nothing where it comes in chunks. */
  #left: number | undefined;
  #tail = '';
  #onData: (data: Buffer) => void = () => undefined;
  #settle: PromiseWithResolvers<void> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay().on('data', (data) => this.#take(data));
    socket.on('error', () => undefined);
    socket.on('close', () =>
      this.#settle?.reject(new Error('the connection closed before the response ended')),
    );
  }

  static async to({ origin }: Target): Promise<WireConnection> {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new WireConnection(socket);
  }

  /**
   * Resolves when the response has ended.
   * @param onData gets the body as it comes, with the framing of its chunks.
   * @throws Error when the status is not 200, or the connection closes before.
   */
  send(request: Buffer, onData: (data: Buffer) => void = () => undefined): Promise<void> {
    this.#head = '';
    this.#onData = onData;
    this.#settle = Promise.withResolvers<void>();
    this.#socket.write(request);
    return this.#settle.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    if (this.#head === undefined) return this.#takeBody(data);
    this.#head += data.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#head.slice(0, end).toLowerCase();
    const body = data.subarray(data.length - (this.#head.length - end - HEAD_END.length));
    if (!head.startsWith('http/1.1 200')) {
      this.#settle?.reject(new Error(`answered by ${this.#head}`));
      return this.close();
    }
    const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
    this.#head = undefined;
    this.#left = length === undefined ? undefined : Number(length);
    this.#tail = '';
    this.#takeBody(body);
  }

  #takeBody(data: Buffer): void {
    if (data.length > 0) this.#onData(data);
    if (this.#left !== undefined) {
      this.#left -= data.length;
      if (this.#left <= 0) this.#end();
      return;
    }
    const last = data.subarray(-LAST_CHUNK.length).toString('latin1');
    this.#tail = (this.#tail + last).slice(-LAST_CHUNK.length);
    if (this.#tail === LAST_CHUNK) this.#end();
  }

  #end(): void {
    this.#settle?.resolve();
    this.#settle = undefined;
  }
}
