import type { CallContext, Deadline } from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the HTTP edge knows of one request while it lives. */
export class RequestContext implements CallContext {
  readonly startedAt = performance.now();
  readonly #aborter = new AbortController();
  readonly #notes: Record<string, string | number | boolean> = {};
  errorCode: string | undefined;

  /** @param deadline what the caller's `x-morgan-deadline-ms` says, if it says anything. */
  constructor(
    readonly id: string,
    readonly deadline: Deadline | undefined,
  ) {}

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get notes(): Readonly<Record<string, string | number | boolean>> {
    return this.#notes;
  }

  /** Adds a field to the request's log line. Never prompt text, input text or keys. */
  note(field: string, value: string | number | boolean): void {
    this.#notes[field] = value;
  }

  abort(): void {
    this.#aborter.abort(new DOMException('The client went away.', 'AbortError'));
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    requestContext: RequestContext;
    /** The body as it came, byte for byte. */
    rawBody?: Buffer;
  }
}

/** The context of a request or reply. */
export function contextOf(subject: FastifyRequest | FastifyReply): RequestContext {
  return 'raw' in subject && 'request' in subject ? subject.request.requestContext : subject.requestContext;
}
