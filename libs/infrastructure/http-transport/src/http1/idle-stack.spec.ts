import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Exchange } from './exchange.ts';
import { Http1Connection } from './http1-connection.ts';
import { type IdleLimits, IdleStack } from './idle-stack.ts';

const SWEEP_MS = 500;
const made: Http1Connection[] = [];

/** A connection without a request, over a socket that nobody has connected. */
function connection(): Http1Connection {
  const owner = { onConnected: () => undefined, onFree: () => undefined, onGone: () => undefined };
  const over = { handler: { onConnection: () => undefined, onSending: () => false } } as unknown as Exchange;
  const one = new Http1Connection(owner, {});
  const target = { hostname: 'host.test', protocol: 'http:', port: '80' };
  one.connect((_, connected) => connected(null, new Socket()), target, over);
  made.push(one);
  return one;
}

function stackOf(count: number, limits: Partial<IdleLimits> = {}) {
  const stack = new IdleStack({ maxKeepalive: 1, keepAliveTimeoutMs: 60_000, maxAgeMs: Infinity, ...limits });
  const connections = Array.from({ length: count }, connection);
  for (const one of connections) stack.push(one);
  return { stack, connections };
}

const alive = (connections: readonly Http1Connection[]) => connections.map(({ isConnected }) => isConnected);

beforeEach(() => {
  jest.useFakeTimers();
  // The clock of a process has run for a while.
  jest.advanceTimersByTime(10_000);
});
afterEach(() => {
  for (const one of made.splice(0)) one.destroy();
  jest.useRealTimers();
});

describe('idle connections', () => {
  it('are used from the top, and those that nobody has used since the last look go from the bottom', () => {
    const { stack, connections } = stackOf(4);
    jest.advanceTimersByTime(SWEEP_MS);
    const used = [stack.pop(), stack.pop()];
    expect(used).toEqual([connections[3], connections[2]]);
    for (const one of used.reverse()) if (one) stack.push(one);
    jest.advanceTimersByTime(SWEEP_MS);
    // Two of four were not in use at some time: one of them is kept.
    expect(alive(connections)).toEqual([false, true, true, true]);
  });

  it('are no surplus where all of them were in use since the last look', () => {
    const { stack, connections } = stackOf(3);
    jest.advanceTimersByTime(SWEEP_MS);
    const used = [stack.pop(), stack.pop(), stack.pop()];
    for (const one of used.reverse()) if (one) stack.push(one);
    jest.advanceTimersByTime(SWEEP_MS);
    expect(alive(connections)).toEqual([true, true, true]);
  });

  it('count as used where one is chosen by a figure, too, which is the smallest of those that may be used', () => {
    const { stack, connections } = stackOf(3);
    jest.advanceTimersByTime(SWEEP_MS);
    const figures = new Map([3, 1, 2].map((figure, at) => [connections[at], figure]));
    const figureOf = (one: Http1Connection) => figures.get(one) ?? Infinity;
    connections[1]?.destroy();
    const used = [stack.popLeast(figureOf), stack.popLeast(figureOf), stack.popLeast(figureOf)];
    expect(used).toEqual([connections[2], connections[0], undefined]);
  });

  it('count as used where they were chosen so, and gone is only what is among them', () => {
    const { stack, connections } = stackOf(3);
    jest.advanceTimersByTime(SWEEP_MS);
    const used = [stack.popLeast(() => 0), stack.popLeast(() => 0), stack.popLeast(() => 0)];
    for (const one of used) if (one) stack.push(one);
    jest.advanceTimersByTime(SWEEP_MS);
    expect(alive(connections)).toEqual([true, true, true]);
    stack.delete(connection());
    expect(stack.size).toBe(3);
    stack.delete(connections[1] as Http1Connection);
    expect(stack.pop()).toBe(connections[2]);
    expect(stack.pop()).toBe(connections[0]);
  });

  it('go where nobody asks for any, down to those that are kept, and those at the end of their time', () => {
    const { stack, connections } = stackOf(3, { keepAliveTimeoutMs: 1_600 });
    jest.advanceTimersByTime(2 * SWEEP_MS);
    expect([stack.size, ...alive(connections)]).toEqual([1, false, false, true]);
    jest.advanceTimersByTime(2 * SWEEP_MS);
    expect([stack.size, ...alive(connections)]).toEqual([0, false, false, false]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are not used once they have been idle for too long, or are too old', () => {
    const idle = stackOf(1, { keepAliveTimeoutMs: 400 });
    jest.advanceTimersByTime(399);
    expect(idle.stack.pop()).toBe(idle.connections[0]);
    idle.stack.push(idle.connections[0] as Http1Connection);
    jest.advanceTimersByTime(400);
    expect([idle.stack.pop(), ...alive(idle.connections)]).toEqual([undefined, false]);
    const old = stackOf(1, { maxAgeMs: 100 });
    jest.advanceTimersByTime(100);
    expect(old.stack.pop()).toBe(old.connections[0]);
    old.stack.push(old.connections[0] as Http1Connection);
    jest.advanceTimersByTime(1);
    expect([old.stack.pop(), ...alive(old.connections)]).toEqual([undefined, false]);
  });

  it('are cut at once where their server ends them sooner than is safe', () => {
    const { stack } = stackOf(0);
    for (const [keptForMs, isKept] of [
      [2_000, false],
      [2_001, true],
    ] as const) {
      const one = connection();
      one.keptForMs = keptForMs;
      stack.push(one);
      expect(one.isConnected).toBe(isKept);
    }
  });
});
