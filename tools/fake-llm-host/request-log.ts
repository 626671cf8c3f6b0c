import type { RecordedRequest } from './recorded-request.ts';

/** The latest requests of a host, and those who wait for one. */
export class RequestLog {
  readonly #limit: number;
  readonly #waiting: ((request: RecordedRequest) => void)[] = [];
  readonly #unclaimed: RecordedRequest[] = [];
  readonly requests: RecordedRequest[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(request: RecordedRequest): void {
    push(this.requests, request, this.#limit);
    if (request.method !== 'POST') return;
    const waiter = this.#waiting.shift();
    if (waiter) waiter(request);
    else push(this.#unclaimed, request, this.#limit);
  }

  next(): Promise<RecordedRequest> {
    const request = this.#unclaimed.shift();
    return request ? Promise.resolve(request) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Drops the older half when full: moving the array once per request would cost more than serving it. */
function push(list: RecordedRequest[], request: RecordedRequest, limit: number): void {
  if (limit === 0) return;
  if (list.length >= limit) list.splice(0, Math.ceil(limit / 2));
  list.push(request);
}
