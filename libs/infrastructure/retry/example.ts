import { type CallContext, compose } from '@morgan/foundation';
import { DeadlinePolicy, HedgePolicy, RetryBudget, RetryPolicy } from './src/index.ts';

const budget = new RetryBudget(); // one per client
const retry = new RetryPolicy({ budget, baseDelayMs: 20 });
const client = compose(
  new DeadlinePolicy({ timeoutMs: 10_000 }), // outermost: bounds all attempts and waits together
  budget, // counts the call as one request, however many attempts it takes
  retry,
  new HedgePolicy({ budget, delayMs: 500 }),
);

let failures = 2;
const fetchText = ({ signal }: CallContext): Promise<string> => {
  signal.throwIfAborted(); // hand the signal to whatever does the work
  if (failures-- > 0) return Promise.reject(Object.assign(new Error('unavailable'), { status: 503 }));
  return Promise.resolve('answer');
};

export const text = await client.execute(fetchText); // a second argument: the context of the call, where there is one
export const status = retry.getStatus(); // { calls: 1, recovered: 1, attempts: { ok: 1, server_error: 2, … }, … }
