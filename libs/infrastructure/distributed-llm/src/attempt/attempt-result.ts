import type { TransportResponse } from '@morgan/http-transport';
import type { Outcome } from '../evidence/outcome.ts';
import type { ErrorResponse } from '../response/error-response.ts';
import type { Content } from '../response/opening.ts';

/** How an attempt came out while nothing was handed out. */
export type AttemptResult = ({ readonly response: TransportResponse } & Content) | AttemptFailure;

/** An attempt without a response that could be handed out as one. */
export interface AttemptFailure {
  readonly kind: 'failed';
  readonly outcome: Outcome;
  /** What the host said, if it said anything. */
  readonly errorResponse?: ErrorResponse | undefined;
  /** How long the host asks to be passed over, in milliseconds. */
  readonly saidMs?: number | undefined;
  readonly cause?: unknown;
}
