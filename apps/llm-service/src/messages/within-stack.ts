import { AppError } from '@morgan/foundation';

/**
 * What a host has said in another form. It may nest it so deep that it can be read, but not be written.
 * @throws AppError `host_error` about that.
 */
export function withinStack<Form>(write: () => Form): Form {
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new AppError('host_error', 'The answer of the host is nested too deep to be translated.', {
      cause,
    });
  }
}
