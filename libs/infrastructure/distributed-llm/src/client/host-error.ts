import { isObject, retryAfterMs } from '@morgan/foundation';
import { errorIn, type ReportedError } from '@morgan/host-errors';
import type { HostResponse } from '../call/host-response.ts';

/** A host refused a call, and no target had better. The message is the host's own. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly status: number;
  /** The configured name of the host. */
  readonly host: string;
  /** How many attempts were made. */
  readonly attempts: number;
  /** The host's own word for what is wrong, and the field that it names. */
  readonly code: string | undefined;
  readonly param: string | undefined;
  /** When the first of all targets that were asked may take the call, in milliseconds from now, where one said so. */
  readonly retryAfterMs: number | undefined;

  private constructor({ status, host, attempts, headers }: HostResponse, error: ReportedError | undefined) {
    super(error?.message ?? `The host answered ${status}.`);
    this.status = status;
    this.host = host;
    this.attempts = attempts;
    this.code = error?.code;
    this.param = error?.param;
    this.retryAfterMs = retryAfterMs(namedOnce(headers));
  }

  /** Reads a refusal to its end. */
  static async of(response: HostResponse): Promise<HostError> {
    const json: unknown = JSON.parse((await response.body.bytes()).toString());
    return new HostError(response, isObject(json) ? errorIn(json) : undefined);
  }
}

function namedOnce(headers: readonly string[]): Record<string, string> {
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), headers[index + 1] ?? '']] : [],
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}
