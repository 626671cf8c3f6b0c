import type { Socket } from 'node:net';

/** What is used of Node's `ServerResponse`, so that whoever writes a response need not know who puts it on the wire. */
export interface OutgoingResponse extends NodeJS.WritableStream {
  statusCode: number;
  /** Whether the connection stays open behind it; it counts when the head is written. */
  shouldKeepAlive: boolean;
  readonly chunkedEncoding: boolean;
  readonly headersSent: boolean;
  readonly socket: Socket | null;
  readonly destroyed: boolean;
  readonly closed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  /** Bytes that the system has not taken yet. */
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  hasHeader(name: string): boolean;
  setHeader(name: string, value: number | string): unknown;
  /** @param headers by name, or names and values in turn */
  writeHead(status: number, headers: Readonly<Record<string, number | string>> | string[]): unknown;
  writeContinue(): void;
  setTimeout(ms: number): unknown;
  destroy(): unknown;
  prependOnceListener(event: string, listener: () => void): this;
}
