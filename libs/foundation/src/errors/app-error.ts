import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { ENVELOPE_TYPE, type ErrorKind, HTTP_STATUS } from './error-kind.ts';

/** OpenAI's error body. The official clients raise their typed errors from it. */
interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** Optional parts of an {@link AppError}. */
interface AppErrorOptions {
  /** The offending field, as a path like `input[3]`. */
  readonly param?: string | undefined;
  /** How long the caller should wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The original fault. It is logged and never sent to a client. */
  readonly cause?: unknown;
}

/**
 * The one error that services throw on purpose. The code fixes the kind, the kind fixes the HTTP status.
 * The message goes to clients: it must hold no prompt text, no key and no internal address.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly kind: ErrorKind;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = ERROR_CODES[code].kind;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return HTTP_STATUS[this.kind];
  }

  toEnvelope(): ErrorEnvelope {
    const { message, kind, param = null, code } = this;
    return { error: { message, type: ENVELOPE_TYPE[kind], param, code } };
  }
}
