import { EventEmitter } from 'node:events';
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { OutgoingResponse } from '@morgan/foundation';

/** Up to this size head and body are joined for one write. */
const JOINED_BYTES = 16 * 1024;
const LAST_CHUNK = '0\r\n\r\n';

type Headers = Readonly<Record<string, number | string>> | string[];
type Data = string | Uint8Array;
type Callback = (error?: Error | null) => void;

/**
 * A response written to its connection at once: what Node's `ServerResponse` puts on the wire, without what that does for
 * requests of other kinds. Emits `finish` when the system has taken all of it, and `close` when it is over.
 */
export class DirectResponse extends EventEmitter implements OutgoingResponse {
  statusCode = 200;
  shouldKeepAlive = true;
  readonly writable = true;
  chunkedEncoding = false;
  headersSent = false;
  destroyed = false;
  closed = false;
  writableEnded = false;
  writableFinished = false;
  writableNeedDrain = false;
  #socket: Socket | null;
  #isLast = false;
  #isSized = false;
  #isDated = false;
  #hasBody = true;
  /** Of {@link setHeader}, until the head is made. */
  #headers: Record<string, number | string> | undefined;
  /** The head, until it leaves with the first bytes behind it. */
  #head = '';

  /** @param keepAlive the headers of a response behind which the connection stays open */
  constructor(
    socket: Socket,
    private readonly keepAlive: string,
  ) {
    super();
    this.#socket = socket;
  }

  /** None when the response is over: the connection may have the next one by then. */
  get socket(): Socket | null {
    return this.#socket;
  }

  /** Whether the connection ends behind it, as its head says. */
  get isLast(): boolean {
    return this.#isLast;
  }

  get writableLength(): number {
    return this.#socket?.writableLength ?? 0;
  }

  hasHeader(name: string): boolean {
    return name === 'content-length' ? this.#isSized : this.#headers?.[name] !== undefined;
  }

  setHeader(name: string, value: number | string): this {
    (this.#headers ??= {})[name] = value;
    return this;
  }

  writeHead(status: number, headers: Headers): this {
    this.statusCode = status;
    this.headersSent = true;
    this.#hasBody = status >= 200 && status !== 204 && status !== 304;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    if (Array.isArray(headers)) {
      for (let at = 0; at + 1 < headers.length; at += 2)
        head += this.#line(headers[at] as string, headers[at + 1] as string);
    } else {
      for (const name of Object.keys(headers)) head += this.#line(name, headers[name] as number | string);
    }
    if (!this.#isDated) head += dateLine();
    this.#isLast = !this.shouldKeepAlive;
    head += this.#isLast ? 'Connection: close\r\n' : this.keepAlive;
    this.chunkedEncoding = this.#hasBody && !this.#isSized;
    this.#head = this.chunkedEncoding ? `${head}Transfer-Encoding: chunked\r\n\r\n` : `${head}\r\n`;
    return this;
  }

  write(data: Data, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    const socket = this.#socket;
    if (!socket?.writable || this.writableEnded) {
      if (callback) process.nextTick(callback, new Error('The response is over.'));
      return false;
    }
    this.#ensureHead();
    const bytes = bytesOf(this.#hasBody ? data : '', encoding);
    const taken = this.#put(socket, bytes, '', callback);
    if (!taken) this.writableNeedDrain = true;
    return taken;
  }

  end(data?: Data | (() => void), encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    if (typeof data === 'function') return this.end(undefined, undefined, data);
    if (typeof encoding === 'function') return this.end(data, undefined, encoding);
    const socket = this.#socket;
    if (!socket || this.writableEnded) return this;
    if (callback) this.once('finish', callback);
    this.#ensureHead();
    this.writableEnded = true;
    if (!socket.writable) return this;
    const finished = (error?: Error | null) => error || this.#finish();
    const body = (this.#hasBody ? data : undefined) ?? '';
    if (!this.chunkedEncoding && typeof body === 'string' && encoding === 'latin1')
      socket.write(this.#takeHead() + body, 'latin1', finished);
    else this.#put(socket, bytesOf(body, encoding), this.chunkedEncoding ? LAST_CHUNK : '', finished);
    return this;
  }

  /** Requests with `expect: 100-continue` are left to Node. */
  writeContinue(): void {
    throw new Error('A request that was read directly waits for nothing.');
  }

  setTimeout(ms: number): this {
    this.#socket?.setTimeout(ms);
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    this.#socket?.destroy();
    return this;
  }

  /** The connection has taken what was written. */
  drained(): void {
    if (!this.writableNeedDrain) return;
    this.writableNeedDrain = false;
    if (!this.writableEnded) this.emit('drain');
  }

  /** It is over, as it has finished or its connection is closed. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.writableFinished) this.destroyed = true;
    this.#socket = null;
    this.emit('close');
  }

  #finish(): void {
    this.writableFinished = true;
    this.emit('finish');
    this.close();
  }

  /** Writes bytes of the body as they are framed, behind the head if that has not left yet. */
  #put(socket: Socket, bytes: Uint8Array, end: string, callback: Callback | undefined): boolean {
    // A chunk of no bytes is the last one.
    const isChunk = this.chunkedEncoding && bytes.length > 0;
    const head = isChunk ? `${this.#takeHead()}${bytes.length.toString(16)}\r\n` : this.#takeHead();
    return put(socket, { head, bytes, tail: isChunk ? `\r\n${end}` : end }, callback);
  }

  #ensureHead(): void {
    if (!this.headersSent) this.writeHead(this.statusCode, this.#headers ?? {});
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  #line(name: string, value: number | string): string {
    checkName(name);
    if (typeof value === 'string') checkValue(name, value);
    const lower = name.toLowerCase();
    if (lower === 'content-length') this.#isSized = true;
    else if (lower === 'date') this.#isDated = true;
    return `${name}: ${value}\r\n`;
  }
}

function bytesOf(data: Data, encoding: BufferEncoding | undefined): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, encoding) : data;
}

/** Writes as few pieces as there can be: each is a call of the system, or an entry of one. */
function put(
  socket: Socket,
  { head, bytes, tail }: { readonly head: string; readonly bytes: Uint8Array; readonly tail: string },
  callback: Callback | undefined,
): boolean {
  if (head === '' && tail === '') return socket.write(bytes, callback);
  const length = head.length + bytes.length + tail.length;
  if (length <= JOINED_BYTES) {
    const joined = Buffer.allocUnsafe(length);
    joined.write(head, 'latin1');
    joined.set(bytes, head.length);
    joined.write(tail, head.length + bytes.length, 'latin1');
    return socket.write(joined, callback);
  }
  socket.cork();
  if (head !== '') socket.write(head, 'latin1');
  let taken = socket.write(bytes, tail === '' ? callback : undefined);
  if (tail !== '') taken = socket.write(tail, 'latin1', callback);
  socket.uncork();
  return taken;
}

/** Names that have been found valid. */
const NAMES = new Set<string>();
const MOST_NAMES = 1_000;

function checkName(name: string): void {
  if (NAMES.has(name)) return;
  validateHeaderName(name);
  if (NAMES.size < MOST_NAMES) NAMES.add(name);
}

/** Text beyond these is an attempt to write more than one header, or cannot be written. */
const SAFE_VALUE = /^[\t -~\x80-\xff]*$/;

function checkValue(name: string, value: string): void {
  if (!SAFE_VALUE.test(value)) validateHeaderValue(name, value);
}

let dateAt = 0;
let line = '';

function dateLine(): string {
  const now = Date.now();
  const second = now - (now % 1000);
  if (second !== dateAt) {
    dateAt = second;
    line = `Date: ${new Date(second).toUTCString()}\r\n`;
  }
  return line;
}
