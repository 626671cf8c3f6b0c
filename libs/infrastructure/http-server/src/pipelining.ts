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
  /** The last request that is answered on this connection has come. */
  full: boolean;
  readonly waiting: Exchange[];
  latest: Exchange | undefined;
}

/**
 * Answers the requests of one connection one at a time. Node hands over everything that a client sends ahead at once, so
 * that one connection could start thousands of answers. What comes early waits, and a client that sends too far ahead is
 * read no more and gets `connection: close` with the last answer that it may have.
 */
export class Pipelining {
  readonly #lines = new WeakMap<Duplex, Line>();

  constructor(private readonly serve: RequestListener) {}

  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What follows the last answer of a connection is not answered.
    if (socket.writableEnded) return;
    const line = this.#lineOf(socket);
    if (line.full) return;
    const exchange = { request, response };
    line.latest = exchange;
    if (!line.answering) return this.#start(exchange, line);
    line.waiting.push(exchange);
    if (line.waiting.length < MAX_WAITING) return;
    line.full = true;
    response.shouldKeepAlive = false;
    // Not before: a connection that is not read does not show that its client has left.
    socket.pause();
  }

  /** The exchange that the connection began last: the only one whose request may still be incomplete. */
  latest(socket: Duplex): Exchange | undefined {
    return this.#lines.get(socket)?.latest;
  }

  #lineOf(socket: Duplex): Line {
    let line = this.#lines.get(socket);
    if (!line) {
      line = { answering: false, full: false, waiting: [], latest: undefined };
      this.#lines.set(socket, line);
    }
    return line;
  }

  #start({ request, response }: Exchange, line: Line): void {
    line.answering = true;
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
    if (next) this.#start(next, line);
  }
}
