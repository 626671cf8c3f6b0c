import type { Socket } from 'node:net';
import { type DirectReading, readDirectly } from './direct-request.ts';
import { DirectResponse } from './direct-response.ts';

/** A client that sends so much ahead of its answer is read no further until that is over. */
const MOST_AHEAD_BYTES = 64 * 1024;
/** Many clients send head and body one after the other. A body that takes longer is Node's to wait for. */
const BODY_WAIT_MS = 20;
/** A longer body does not come in the piece behind its head. */
const MOST_BODY_BYTES = 48 * 1024;
const EMPTY_LINES = /^[\r\n]+$/;

/** Who answers what was read, and who takes what was not. */
interface DirectConnectionOptions {
  /** The headers of a response behind which the connection stays open. */
  readonly keepAlive: string;
  /** @returns what begins the response, or none where the request is not to be answered directly. */
  readonly find: (reading: DirectReading) => ((response: DirectResponse, body: Buffer) => void) | undefined;
  /** The connection is Node's from now on, with what has come on it. */
  readonly handOver: (received: readonly Buffer[]) => void;
  readonly closed: () => void;
}

/** A connection whose requests are read and answered without Node's parser, one at a time, until one comes that needs it. */
export class DirectConnection {
  readonly openedAt = performance.now();
  /** When the last response was over; none before there was one. */
  #quietSince: number | undefined;
  #response: DirectResponse | undefined;
  /** What has come and is not read yet: the beginning of a request, or what was sent ahead of a response. */
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #bodyWait: NodeJS.Timeout | undefined;

  constructor(
    readonly socket: Socket,
    private readonly options: DirectConnectionOptions,
  ) {
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    socket.on('timeout', this.#onTimeout);
  }

  /** Infinity: a response is under way. */
  get quietSince(): number | undefined {
    return this.#response ? Infinity : this.#quietSince;
  }

  /** Nothing is under way since a response was over. */
  get isIdle(): boolean {
    return !this.#response && this.#quietSince !== undefined && this.#received.length === 0;
  }

  readonly #onData = (piece: Buffer): void => {
    // What follows the last response of a connection is not answered.
    if (this.socket.writableEnded) return;
    const isFirst = this.#received.length === 0;
    if (isFirst && isEmpty(piece)) return;
    if (this.#response) return this.#keep(piece);
    if (isFirst) return this.#read(piece);
    clearTimeout(this.#bodyWait);
    const pieces = [...this.#received, piece];
    this.#received = [];
    this.#read(Buffer.concat(pieces), pieces);
  };

  /** @param pieces that the bytes have come in */
  #read(bytes: Buffer, pieces: readonly Buffer[] = [bytes]): void {
    const reading = readDirectly(bytes);
    const begin = reading && this.options.find(reading);
    if (!begin) return this.#handOver(pieces);
    const { bodyAt, end } = reading;
    if (bytes.length === end) return this.#answer(begin, bytes.subarray(bodyAt));
    const isBodyToCome = bytes.length === bodyAt && pieces.length === 1 && end - bodyAt <= MOST_BODY_BYTES;
    if (!isBodyToCome) return this.#handOver(pieces);
    this.#received = [bytes];
    this.#bodyWait = setTimeout(() => this.#handOver(this.#received), BODY_WAIT_MS);
  }

  #answer(begin: (response: DirectResponse, body: Buffer) => void, body: Buffer): void {
    const response = new DirectResponse(this.socket, this.options.keepAlive);
    this.#response = response;
    // The first listener: whoever hears of the end may already ask whether the connection is quiet.
    response.once('close', () => this.#next(response));
    begin(response, body);
  }

  #keep(piece: Buffer): void {
    this.#received.push(piece);
    this.#receivedBytes += piece.length;
    if (this.#receivedBytes > MOST_AHEAD_BYTES) this.socket.pause();
  }

  #next(response: DirectResponse): void {
    this.#response = undefined;
    this.#quietSince = performance.now();
    const { socket } = this;
    if (socket.destroyed) return;
    if (response.isLast || socket.writableEnded) socket.destroySoon();
    else if (this.#received.length > 0) this.#handOver(this.#received);
  }

  #handOver(received: readonly Buffer[]): void {
    clearTimeout(this.#bodyWait);
    const { socket } = this;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', ignore).off('close', this.#onClose);
    socket.off('drain', this.#onDrain).off('timeout', this.#onTimeout);
    this.options.handOver(received);
  }

  /** As Node does: a client that ends its side has left. */
  readonly #onEnd = (): void => void this.socket.end();

  readonly #onDrain = (): void => this.#response?.drained();

  readonly #onTimeout = (): void => void this.#response?.emit('timeout');

  readonly #onClose = (): void => {
    clearTimeout(this.#bodyWait);
    this.options.closed();
    this.#response?.close();
  };
}

/**
 * Some clients send an empty line behind a body (RFC 9112, 2.2). Node would take one for a request that has begun, and say
 * sooner or later that it is late: to the next one, where that is on its way by then.
 */
function isEmpty(piece: Buffer): boolean {
  const first = piece[0];
  return (first === 0x0d || first === 0x0a) && EMPTY_LINES.test(piece.toString('latin1'));
}

function ignore(): void {
  // The connection closes behind it.
}
