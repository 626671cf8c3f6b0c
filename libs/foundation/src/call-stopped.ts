import { AppError } from './errors/app-error.ts';

/** The error that a call ends with whose signal was aborted: the reason itself where that says enough. */
export function callStopped({ reason }: Pick<AbortSignal, 'reason'>): AppError {
  if (reason instanceof AppError) return reason;
  return new AppError('client_closed_request', 'The caller gave the call up.', { cause: reason });
}

/** The error that a call ends with whose deadline has passed. */
export function deadlineExceeded(): AppError {
  return new AppError('deadline_exceeded', 'The call was not over by its deadline.');
}
