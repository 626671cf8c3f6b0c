import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { classifyFault, type Phase } from './fault-classification.ts';
import { ResponseBody } from './response-body.ts';
import { TransportError, type TransportFault } from './transport-error.ts';
import { TransportResponse } from './transport-response.ts';

/** What an exchange needs besides what undici sends. */
export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly firstByteTimeoutMs: number;
  readonly bodyFault?: ((error: TransportError) => Error) | undefined;
  readonly onResponse: (response: TransportResponse) => void;
  readonly onFault: (error: TransportError) => void;
}

/**
 * One request and its answer: turns undici's events into a response with a body, or into one fault. It reports once,
 * at the first sign; what undici says later about the same request is dropped.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#fail('aborted', this.#options.signal?.reason);
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;
  #phase: Phase | 'over' = 'connecting';

  constructor(options: ExchangeOptions) {
    this.#options = options;
    // Not undici's `headersTimeout`: that one starts when a connection is free and is up to a second late.
    this.#timer = setTimeout(() => this.#fail('first_byte_timeout'), options.firstByteTimeoutMs);
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing keeps the connection, which `controller.abort` would close: nothing was written yet.
    if (this.#phase === 'over') throw new TransportError('aborted', true);
    this.#controller = controller;
    this.#phase = 'sent';
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200 || this.#phase === 'over') return;
    clearTimeout(this.#timer);
    this.#phase = 'answering';
    this.#body = new ResponseBody(controller, () => this.#abandon());
    const rawHeaders = controller.rawHeaders as Buffer[];
    this.#options.onResponse(new TransportResponse(status, headers, rawHeaders, this.#body));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#settle();
    this.#body?.push(null);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#phase !== 'over') this.#fail(classifyFault(error, this.#phase), error);
  }

  #fail(reason: TransportFault, cause?: unknown): void {
    const error = new TransportError(reason, this.#phase !== 'answering', cause);
    this.#settle();
    this.#controller?.abort(error);
    if (!this.#body) this.#options.onFault(error);
    else this.#body.destroy(this.#options.bodyFault?.(error) ?? error);
  }

  /** The reader does not want the rest. */
  #abandon(): void {
    if (this.#phase === 'over') return;
    this.#settle();
    this.#controller?.abort(new TransportError('aborted', false));
  }

  #settle(): void {
    this.#phase = 'over';
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }
}
