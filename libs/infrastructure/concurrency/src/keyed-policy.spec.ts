import { describe, expect, it } from '@jest/globals';
import { callThrough, settle } from '../fixture/calls.ts';
import { Bulkhead } from './bulkhead.ts';
import { KeyedPolicy } from './keyed-policy.ts';

const keyed = (maxIdleKeys?: number) =>
  new KeyedPolicy({
    create: (name) => new Bulkhead({ name, config: { maxConcurrent: 1, maxQueue: 5 } }),
    ...(maxIdleKeys === undefined ? {} : { maxIdleKeys }),
  });

describe('a keyed policy', () => {
  it('has one policy for each key', async () => {
    const hosts = keyed();
    const [first, second, other] = ['a', 'a', 'b'].map((key) => callThrough(hosts.for(key)));
    await settle();
    expect([first?.begun(), second?.begun(), other?.begun()]).toEqual([true, false, true]);
    expect(hosts.peek('a')?.getStatus()).toMatchObject({ name: 'a', running: 1, waiting: 1 });
    expect(hosts.peek('c')).toBeUndefined();
    expect([...hosts.values()].map((host) => host.getStatus().name)).toEqual(['a', 'b']);
  });

  it('remembers what an idle key has learned', async () => {
    const hosts = keyed();
    const call = callThrough(hosts.for('a'));
    call.finish();
    await call.result;
    expect(hosts.peek('a')?.getStatus().serviceMs).toBeGreaterThanOrEqual(0);
    const again = callThrough(hosts.for('a'));
    expect([hosts.size, [...hosts.values()].length]).toEqual([1, 1]);
    again.finish();
    await again.result;
  });

  it('holds no more idle keys than allowed, the latest ones', async () => {
    const hosts = keyed(3);
    for (let key = 0; key < 10_000; key += 1) {
      const call = callThrough(hosts.for(String(key)));
      call.finish();
      await call.result;
    }
    expect([...hosts.values()].map((host) => host.getStatus().name)).toEqual(['9997', '9998', '9999']);
  });

  it('never drops a key that has calls, waiting ones included', async () => {
    const hosts = keyed(0);
    const [running, waiting] = [callThrough(hosts.for('a')), callThrough(hosts.for('a'))];
    const failing = callThrough(hosts.for('b'));
    failing.fail(new Error('fault'));
    await expect(failing.result).rejects.toThrow('fault');
    expect(hosts.size).toBe(1);
    running.finish();
    await running.result;
    await settle();
    expect([hosts.size, waiting.begun()]).toEqual([1, true]);
    waiting.finish();
    await waiting.result;
    expect(hosts.size).toBe(0);
  });
});
