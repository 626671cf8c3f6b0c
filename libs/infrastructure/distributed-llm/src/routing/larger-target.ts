import type { ReportedError } from '@morgan/host-errors';
import { contextLimitIn } from '../evidence/context-limit.ts';
import type { Target } from './target.ts';

/** A target that found a request too long, and what it said. */
export interface TooLong {
  readonly target: Target;
  readonly error: ReportedError | undefined;
}

/**
 * Whether a target may take what was too long for another one: its context is longer or, where that is not known of both, it
 * has another model.
 * @param asked the model that the caller named.
 */
export function mayBeLarger(one: Target, { target, error }: TooLong, asked: string | undefined): boolean {
  const length = one.contextLengthFor(asked);
  const limit = target.contextLengthFor(asked) ?? contextLimitIn(error);
  if (length !== undefined && limit !== undefined) return length > limit;
  return one.modelFor(asked) !== target.modelFor(asked);
}
