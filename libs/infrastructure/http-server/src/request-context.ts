import { type CallContext, Deadline, deadlineExceeded, MAX_TIMER_MS, type Note } from '@morgan/foundation';

/** What the HTTP edge knows of one request while it lives. */
export class RequestContext implements CallContext {
  readonly startedAt = performance.now();
  readonly #aborter = new AbortController();
  readonly #notes: Record<string, Note> = {};
  readonly #releases: (() => void)[] = [];
  #isOver = false;
  errorCode: string | undefined;
  caller: string | undefined;
  #deadline: Deadline | undefined;
  /** The deadline that the clock is set for. */
  #kept: Deadline | undefined;
  #clock: NodeJS.Timeout | undefined;
  #isClientGone = false;

  /**
   * @param deadline what the caller's `x-morgan-deadline-ms` says, if it says anything.
   * @param via its `x-morgan-via`
   */
  constructor(
    readonly id: string,
    deadline: Deadline | undefined,
    readonly via?: string,
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

  /**
   * From now on, until the response is over, {@link signal} aborts when the deadline passes, too: one clock and one signal for all
   * that works for the request. A deadline that becomes nearer later is not kept by it.
   */
  keepDeadline(): void {
    const deadline = this.#deadline;
    if (!deadline || this.#isOver) return;
    clearTimeout(this.#clock);
    this.#kept = deadline;
    const leftMs = deadline.remainingMs();
    const expire = () => this.#aborter.abort(deadlineExceeded());
    if (leftMs === 0) expire();
    else this.#clock = setTimeout(expire, Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
  }

  get keepsDeadline(): boolean {
    return this.#kept !== undefined && this.#kept === this.#deadline;
  }

  /** Whether there is nobody to be answered any more, which {@link signal} alone does not tell where it keeps the deadline. */
  get isClientGone(): boolean {
    return this.#isClientGone;
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
    clearTimeout(this.#clock);
    for (const release of this.#releases) release();
  }

  /** The client has left. */
  abort(): void {
    this.#isClientGone = true;
    this.#aborter.abort(new DOMException('The client went away.', 'AbortError'));
  }
}
