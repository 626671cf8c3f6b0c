import { contextLimitIn, type ReportedError } from '@morgan/host-errors';
import type { Outcome } from '../evidence/outcome.ts';
import type { Target } from './target.ts';

/** A target whose model a request does not fit, and what it said. */
export interface Unfit {
  readonly target: Target;
  readonly outcome: Outcome;
  readonly error: ReportedError | undefined;
}

/**
 * Whether a target may take what did not fit another one: what was too long, if its context is longer or, where that is not known of
 * both, it has another model; what has a field that the model does not take, if it has another model.
 * @param asked the model that the caller named.
 */
export function mayFit(one: Target, { target, outcome, error }: Unfit, asked: string | undefined): boolean {
  const length = one.contextLengthFor(asked);
  const limit = target.contextLengthFor(asked) ?? contextLimitIn(error);
  const isLength = outcome === 'context_too_long' && length !== undefined && limit !== undefined;
  return isLength ? length > limit : one.modelFor(asked) !== target.modelFor(asked);
}
