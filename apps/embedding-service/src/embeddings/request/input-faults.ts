import type { KeyFaults } from '@morgan/cache';
import { AppError } from '@morgan/foundation';

/**
 * Tells which errors are about an input itself: many equal calls with one that no model can take run the model once. Each names
 * the input by its own place.
 */
export function inputFaults(keys: readonly string[]): KeyFaults {
  const paramOf = (key: string) => `input[${keys.indexOf(key)}]`;
  return {
    isOf: (key, error) => error instanceof AppError && error.param === paramOf(key),
    retold: (key, error) => {
      const { code, message, retryAfterMs, cause } = error as AppError;
      return new AppError(code, message, { param: paramOf(key), retryAfterMs, cause });
    },
  };
}
