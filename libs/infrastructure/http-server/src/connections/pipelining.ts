import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than a client has reason to send ahead. Each one costs a hundred times its bytes until it is answered. */
const MAX_WAITING = 16;
/** A client whose requests that wait have larger heads than this in all is read no further. */
const MOST_AHEAD_BYTES = 32 * 1024;
/** So many more are passed over, and the connection ends behind the last answer; a client that sends on is cut at once. */
const MAX_PASSED_OVER = 64;

/** A request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Line {
  responding: boolean;
  readonly waiting: Exchange[];
  /** Of the heads of those that wait. */
  waitingBytes: number;
  isHeldBack: boolean;
  latest: Exchange | undefined;
  /** How many are not answered, as too many waited: from the first of them on all are. */
  passedOver: number;
  /** When the last response was over. */
  quietSince: number | undefined;
}

/**
 * Answers the requests of one connection one at a time. Node hands over everything that a client sends ahead at once, so
 * that one connection could start thousands of responses. What comes early waits. Of a client that sends too far ahead what waits is
 * answered, and the connection ends behind it: as HTTP has it, the rest is to be sent again (RFC 9112, 9.3.2). In each turn of the
 * event loop one of all that waited begins: else many connections would have all of theirs answered before anybody else is heard.
 */
export class Pipelining {
  readonly #lines = new WeakMap<Socket, Line>();
  /** What may begin: the next request of each connection that has been answered. */
  readonly #ready: (() => void)[] = [];

  /** @param tell is called once for a connection on which too many requests wait. */
  constructor(
    private readonly serve: RequestListener,
    private readonly tell: () => void,
  ) {}

  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What follows the last response of a connection is not answered.
    if (socket.writableEnded || socket.destroyed) return;
    const line = this.#lineOf(socket);
    if (line.passedOver > 0 || line.waiting.length === MAX_WAITING) return this.#passOver(socket, line);
    line.latest = { request, response };
    if (line.responding) this.#wait(line.latest, line);
    else this.#start(line.latest, line);
  }

  /** The exchange that the connection began last: the only one whose request may still be incomplete. */
  latest(socket: Socket): (Exchange & { readonly waiting: boolean }) | undefined {
    const { latest, waiting = [] } = this.#lines.get(socket) ?? {};
    return latest && { ...latest, waiting: waiting.includes(latest) };
  }

  /** Since when no response to this connection is under way: the end of the last one, or none before there was one. Infinity: one is. */
  quietSince(socket: Socket): number | undefined {
    const line = this.#lines.get(socket);
    return line?.responding ? Infinity : line?.quietSince;
  }

  #lineOf(socket: Socket): Line {
    let line = this.#lines.get(socket);
    if (!line) {
      line = {
        responding: false,
        waiting: [],
        waitingBytes: 0,
        isHeldBack: false,
        latest: undefined,
        passedOver: 0,
        quietSince: undefined,
      };
      this.#lines.set(socket, line);
    }
    return line;
  }

  #wait(exchange: Exchange, line: Line): void {
    line.waiting.push(exchange);
    line.waitingBytes += headBytes(exchange.request);
    this.#holdBack(exchange.request.socket, line);
  }

  #holdBack(socket: Socket, line: Line): void {
    const isTooFar = line.waitingBytes > MOST_AHEAD_BYTES;
    if (isTooFar === line.isHeldBack) return;
    line.isHeldBack = isTooFar;
    if (isTooFar) socket.on('resume', pauseAgain).pause();
    else socket.off('resume', pauseAgain).resume();
  }

  #passOver(socket: Socket, line: Line): void {
    line.passedOver += 1;
    if (line.passedOver === 1) this.tell();
    // Node closes the connection behind it.
    if (line.latest) line.latest.response.shouldKeepAlive = false;
    if (line.passedOver > MAX_PASSED_OVER) socket.destroy();
  }

  #start({ request, response }: Exchange, line: Line): void {
    line.responding = true;
    response.once('close', () => this.#next(request.socket, line));
    this.serve(request, response);
  }

  #next(socket: Socket, line: Line): void {
    line.quietSince = performance.now();
    if (line.waiting.length === 0) line.responding = false;
    else if (this.#ready.push(() => this.#startNext(socket, line)) === 1) setImmediate(this.#goOn);
  }

  #startNext(socket: Socket, line: Line): void {
    line.responding = false;
    if (socket.destroyed || socket.writableEnded) line.waiting.length = 0;
    const next = line.waiting.shift();
    if (!next) return;
    line.waitingBytes -= headBytes(next.request);
    this.#holdBack(socket, line);
    this.#start(next, line);
  }

  readonly #goOn = (): void => {
    const startOne = this.#ready.shift();
    if (this.#ready.length > 0) setImmediate(this.#goOn);
    startOne?.();
  };
}

/** Node reads on behind each request and each response. */
function pauseAgain(this: Socket): void {
  this.pause();
}

function headBytes({ rawHeaders, url = '' }: IncomingMessage): number {
  return rawHeaders.reduce((sum, { length }) => sum + length, url.length);
}
