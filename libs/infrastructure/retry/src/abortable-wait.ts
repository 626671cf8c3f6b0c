import { callStopped, MAX_TIMER_MS } from '@morgan/foundation';

/**
 * Resolves after so many milliseconds. Leaves neither timer nor listener behind. The signal is not aborted yet.
 * @throws AppError as soon as the signal is aborted: its reason, or `client_closed_request`.
 */
export function abortableWait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(callStopped(signal));
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
