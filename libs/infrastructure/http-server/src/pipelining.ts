import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Far more than a client has reason to send ahead; one packet of small requests could hold a thousand. */
const MAX_WAITING = 128;

/** A request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Line {
  answering: boolean;
  paused: boolean;
  readonly waiting: Exchange[];
  latest: Exchange;
}

/**
 * Answers the requests of one connection one at a time. Node hands over everything that a client sends ahead at once, so
 * that one connection could start thousands of answers. What comes early waits, the connection is not read meanwhile, and
 * a client that sends too far ahead gets `connection: close` with the last answer that it may have.
 */
export class Pipelining {
  readonly #lines = new WeakMap<Duplex, Line>();

  constructor(private readonly serve: RequestListener) {}

  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What follows the last answer of a connection is not answered.
    if (socket.writableEnded) return;
    const exchange = { request, response };
    const line = this.#lines.get(socket);
    if (!line?.answering) return this.#start(exchange, line);
    if (line.waiting.length >= MAX_WAITING) return;
    line.latest = exchange;
    line.waiting.push(exchange);
    if (line.waiting.length === MAX_WAITING) response.shouldKeepAlive = false;
    if (!line.paused) socket.pause();
    line.paused = true;
  }

  /** The exchange that the connection began last: the only one whose request may still be incomplete. */
  latest(socket: Duplex): Exchange | undefined {
    return this.#lines.get(socket)?.latest;
  }

  #start(exchange: Exchange, known: Line | undefined): void {
    const { request, response } = exchange;
    const line = known ?? { answering: true, paused: false, waiting: [], latest: exchange };
    if (known) {
      line.answering = true;
      if (line.waiting.length === 0) line.latest = exchange;
    } else {
      this.#lines.set(request.socket, line);
    }
    response.once('close', () => this.#next(request.socket, line));
    this.serve(request, response);
  }

  #next(socket: Duplex, line: Line): void {
    line.answering = false;
    if (socket.destroyed || socket.writableEnded) {
      line.waiting.length = 0;
      return;
    }
    const next = line.waiting.shift();
    if (next) return this.#start(next, line);
    if (line.paused) socket.resume();
    line.paused = false;
  }
}
