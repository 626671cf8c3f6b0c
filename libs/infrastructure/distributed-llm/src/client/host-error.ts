import type { HostResponse } from '../call/host-response.ts';
import { errorIn, isObject } from '../dialects/reported-error.ts';

/** A host refused a call, and no target had better. The message is the host's own. */
export class HostError extends Error {
  override readonly name = 'HostError';

  private constructor(
    message: string,
    readonly status: number,
    /** The configured name of the host. */
    readonly host: string,
    /** How many attempts were made. */
    readonly attempts: number,
  ) {
    super(message);
  }

  /** Reads a refusal to its end. */
  static async of({ status, host, attempts, body }: HostResponse): Promise<HostError> {
    const json: unknown = JSON.parse((await body.bytes()).toString());
    const message = (isObject(json) ? errorIn(json)?.message : undefined) ?? `The host answered ${status}.`;
    return new HostError(message, status, host, attempts);
  }
}
