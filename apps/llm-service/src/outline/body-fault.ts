import { AppError } from '@morgan/foundation';
import type { JsonKind } from '@morgan/http-server';

/** What came in the place of something else. */
type Received = JsonKind | undefined;

/** A required field is not there. */
export function missing(param: string): AppError {
  return new AppError('missing_required_parameter', `Missing required parameter: '${param}'.`, { param });
}

/** A field has the wrong type, or is missing. */
export function wrongType(param: string, expected: string, received: Received): AppError {
  if (received === undefined) return missing(param);
  const name = received === 'true' || received === 'false' ? 'boolean' : received;
  return new AppError('invalid_type', `Invalid '${param}': expected ${expected}, received ${name}.`, {
    param,
  });
}

/** A text has no characters. */
export function emptyText(param: string): AppError {
  return new AppError('empty_string', `'${param}' must not be an empty string.`, { param });
}

/** A list has no elements. */
export function emptyList(param: string): AppError {
  return new AppError('empty_array', `'${param}' must have at least one element.`, { param });
}

/** What is routed by one of them may be answered by the other: parsers of hosts take the first, the last, or any case. */
export function notOnce(param: string): AppError {
  return new AppError('invalid_value', `'${param}' must come once, and in lower case.`, { param });
}
