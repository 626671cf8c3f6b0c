import { AppError } from '@morgan/foundation';

/** Redis has not said whether the call may pass, and nobody else may decide. */
export function storeUnavailable(): AppError {
  return new AppError('rate_limiter_unavailable', 'The rate limit cannot be checked at the moment.');
}
