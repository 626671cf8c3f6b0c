import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import { CheckRun } from './check-run.ts';

const never = new AbortController().signal;

describe('CheckRun', () => {
  it.each<[string, Error, string]>([
    ['the code of an AppError', new AppError('host_error', 'x'), 'host_error'],
    ['the code of a cause', new Error('fetch failed', { cause: { code: 'ECONNRESET' } }), 'ECONNRESET'],
    ['the name, where there is no code', new TypeError('key sk-123 is bad'), 'TypeError'],
    ['the name of an error of another realm', runInNewContext('new RangeError()') as Error, 'RangeError'],
    ['a word for what is no error', 'sk-123' as unknown as Error, 'error'],
  ])('takes as reason %s, never a message', async (_, error, reason) => {
    const check = () => Promise.reject(error);
    expect(await new CheckRun(check, 100).once(never)).toEqual({ verdict: 'failed', reason });
  });

  it('takes a check that throws at once like one that rejects, and is no prisoner of a ring of causes', async () => {
    const check = () => {
      const error = new Error('x');
      error.cause = error;
      throw error;
    };
    expect(await new CheckRun(check, 100).once(never)).toEqual({ verdict: 'failed', reason: 'Error' });
  });

  it('leaves no listener on the signal, and tells the check why it is aborted', async () => {
    const stop = new AbortController();
    let given: AbortSignal | undefined;
    const hangs = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        given = signal;
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const run = new CheckRun(hangs, 20);
    expect(await run.once(stop.signal)).toEqual({ verdict: 'failed', reason: 'timeout' });
    expect(given?.reason).toMatchObject({ name: 'TimeoutError' });
    expect(await new CheckRun(() => Promise.resolve(), 20).once(stop.signal)).toEqual({ verdict: 'ok' });
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);

    const stopped = run.once(stop.signal);
    stop.abort();
    expect(await stopped).toBeUndefined();
    expect(given?.reason).toMatchObject({ name: 'AbortError' });
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('is stuck as long as a check that was stopped goes on, and learns nothing where it is stopped again', async () => {
    const stop = new AbortController();
    const end = Promise.withResolvers<void>();
    const run = new CheckRun(() => end.promise, 20);
    const stopped = run.once(stop.signal);
    stop.abort();
    expect(await stopped).toBeUndefined();
    expect(await run.once(never)).toEqual({ verdict: 'failed', reason: 'stuck' });
    const again = run.once(stop.signal);
    end.resolve();
    expect(await again).toBeUndefined();
    expect(await run.once(never)).toEqual({ verdict: 'ok' });
  });
});
