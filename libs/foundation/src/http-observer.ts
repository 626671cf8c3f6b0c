/** A field of a log line. What has `toJSON` is read when the line is written, if it is. */
export type Note = string | number | boolean | { toJSON(): unknown };

/** One finished HTTP request, as logs and metrics see it. Holds no body and no header. */
export interface FinishedRequest {
  readonly requestId: string;
  readonly method: string;
  /** The matched route pattern, or `unmatched`: a closed set, whatever clients ask for. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Whose request it was, where callers are told apart. Never a key. */
  readonly caller?: string | undefined;
  /** The stable error code, when the service answered with an error of its own. */
  readonly errorCode?: string | undefined;
  /** The client went away before the response was complete. */
  readonly aborted: boolean;
  /** What the handler noted for the log line, such as the host that answered. */
  readonly notes: Readonly<Record<string, Note>>;
}

/** Told of every HTTP request: request log, metrics. */
export interface HttpObserver {
  started(): void;
  finished(request: FinishedRequest): void;
}
