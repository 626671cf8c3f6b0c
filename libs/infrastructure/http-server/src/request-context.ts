import { type CallContext, Deadline, type Note } from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the HTTP edge knows of one request while it lives. */
export class RequestContext implements CallContext {
  readonly startedAt = performance.now();
  readonly #aborter = new AbortController();
  readonly #notes: Record<string, Note> = {};
  readonly #releases: (() => void)[] = [];
  #isOver = false;
  errorCode: string | undefined;
  tenant: string | undefined;
  #deadline: Deadline | undefined;

  /** @param deadline what the caller's `x-morgan-deadline-ms` says, if it says anything. */
  constructor(
    readonly id: string,
    deadline: Deadline | undefined,
  ) {
    this.#deadline = deadline;
  }

  /** The nearer one of the caller's deadline and the service's own, see {@link limitTo}. */
  get deadline(): Deadline | undefined {
    return this.#deadline;
  }

  /** The whole call, its upload included, takes at most so many milliseconds; the caller's deadline may be nearer. */
  limitTo(ms: number): void {
    this.#deadline = Deadline.nearest(this.#deadline, Deadline.at(this.startedAt + ms));
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get notes(): Readonly<Record<string, Note>> {
    return this.#notes;
  }

  /** Adds a field to the request's log line. Never prompt text, input text or keys. */
  note(field: string, value: Note): void {
    this.#notes[field] = value;
  }

  /** Frees something when the response is over, however that comes about; at once where it is over already. */
  whenOver(release: () => void): void {
    if (this.#isOver) release();
    else this.#releases.push(release);
  }

  /** The response is over. */
  end(): void {
    this.#isOver = true;
    for (const release of this.#releases) release();
  }

  abort(): void {
    this.#aborter.abort(new DOMException('The client went away.', 'AbortError'));
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    requestContext: RequestContext;
  }
}

/** The context of a request or reply. */
export function contextOf(subject: FastifyRequest | FastifyReply): RequestContext {
  return 'raw' in subject && 'request' in subject ? subject.request.requestContext : subject.requestContext;
}
