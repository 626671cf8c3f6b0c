import { expect, it } from '@jest/globals';
import { type CallContext, contextWith } from './call-context.ts';
import { Deadline } from './deadline.ts';

/** As the context of an HTTP request is. */
class AccessorContext implements CallContext {
  readonly #aborter = new AbortController();
  readonly id = 'call-1';
  readonly caller = 'key 1';
  readonly idempotent = false;

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get deadline(): Deadline {
    return Deadline.at(1_000);
  }
}

it('a call with other fields keeps the rest, accessors too', () => {
  const context = new AccessorContext();
  expect(contextWith(context, { attempt: 2 })).toEqual({
    id: 'call-1',
    caller: 'key 1',
    idempotent: false,
    signal: context.signal,
    deadline: Deadline.at(1_000),
    attempt: 2,
  });
  const { signal } = new AbortController();
  expect(contextWith(context, { signal }).signal).toBe(signal);
});
