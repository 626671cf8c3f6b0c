import { hash } from 'node:crypto';
import { AppError, type ErrorCode } from '@morgan/foundation';
import type { WholeResponse } from '@morgan/http-client';

/** What a host calls such a request that is one of ours. */
export const LOOP: ErrorCode = 'request_loop';

const NAME_LENGTH = 16;
/** A longer way is none that somebody built. */
const MOST_NAMES = 16;
const NAME = /^[0-9a-f]{16}$/;

/**
 * Which services of this kind have sent a request on. One that comes back would wait for itself: the vectors that it wants are
 * under way already, and whoever wants them too waits for them.
 */
export class CallWay {
  readonly #name: string;

  /** @param settings what replicas have in common, and services that may ask each other have not. */
  constructor(settings: unknown) {
    this.#name = hash('sha256', JSON.stringify(settings)).slice(0, NAME_LENGTH);
  }

  /** @throws AppError `request_loop` */
  check(via: string | undefined): void {
    if (!namesIn(via).includes(this.#name)) return;
    const message =
      'The request has come back to this service, which had sent it on: EMBEDDING_REMOTE_HOSTS leads to itself.';
    throw new AppError(LOOP, message);
  }

  /** What whoever is asked next is told of the way so far. */
  after(via: string | undefined): string {
    return [...namesIn(via), this.#name].slice(-MOST_NAMES).join(', ');
  }
}

/** What a host says whose way leads back to this service, or in a circle of its own. */
export function loopOf({ serviceName }: WholeResponse): AppError {
  const message = `No embedding host gave vectors: ${serviceName} leads in a circle (${LOOP}); EMBEDDING_REMOTE_HOSTS names hosts that compute.`;
  return new AppError(LOOP, message);
}

function namesIn(via: string | undefined): string[] {
  if (via === undefined) return [];
  return via
    .split(',')
    .map((name) => name.trim())
    .filter((name) => NAME.test(name));
}
