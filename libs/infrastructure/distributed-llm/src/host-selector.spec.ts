import { describe, expect, it } from '@jest/globals';
import { CircuitBreakerRegistry } from '@morgan/circuit-breaker';
import { HealthMonitor } from '@morgan/health-monitor';
import { Host } from './host.ts';
import { HostSelector } from './host-selector.ts';

const host = (name: string, models: string[] = [], weight = 1) => {
  const one = new Host({ name, url: 'http://127.0.0.1:1/v1', weight });
  one.serves(models.map((id) => ({ id })));
  return one;
};

/** A selector over these hosts, and ways to make them unwell. */
const choose = (hosts: readonly Host[]) => {
  const probe = () => Promise.resolve();
  const health = new HealthMonitor({
    targets: Object.fromEntries(hosts.map(({ name }) => [name, probe])),
    liveFailureThreshold: 1,
    successThreshold: 1,
  });
  const breakers = new CircuitBreakerRegistry();
  return {
    selector: new HostSelector(hosts, health, breakers),
    down: (name: string) => health.report(name, { ok: false, durationMs: 0 }),
    back: (name: string) => health.checkNow(name),
    open: (name: string) => breakers.get(name).forceOpen(),
  };
};

/** All hosts in the order in which one call would try them. */
const orderOf = (selector: HostSelector, model?: string) => {
  const tried = new Set<Host>();
  for (let next = selector.next(model, tried); next; next = selector.next(model, tried)) tried.add(next);
  return Array.from(tried, ({ name }) => name).join('');
};

const firstsOf = (selector: HostSelector, count: number) =>
  Array.from({ length: count }, () => selector.next(undefined, new Set())?.name).join('');

describe('HostSelector', () => {
  it('names every host once', () => {
    const { selector } = choose([host('a'), host('b'), host('c')]);
    expect(orderOf(selector)).toBe('abc');
  });

  it('puts hosts that list the model first and leaves none out', () => {
    const { selector } = choose([host('a', ['x']), host('b', ['y']), host('c', ['y', 'x'])]);
    expect(orderOf(selector, 'y')).toBe('bca');
    expect(orderOf(selector, 'nobody-has-it')).toHaveLength(3);
  });

  it('puts hosts that are down last, even those with the model', () => {
    const hosts = [host('a', ['x']), host('b', []), host('c', ['x'])];
    const some = choose(hosts);
    some.down('a');
    expect(orderOf(some.selector, 'x')).toBe('cba');
    const all = choose(hosts);
    for (const { name } of hosts) all.down(name);
    expect(orderOf(all.selector, 'x')).toBe('acb');
  });

  it('gives hosts that are down their turns, where there are no others', () => {
    const { selector, down } = choose([host('a', [], 2), host('b', [], 1)]);
    down('a');
    down('b');
    expect(firstsOf(selector, 6)).toBe('abaaba');
  });

  it('leaves out hosts that their breakers leave alone', () => {
    const { selector, open, down } = choose([host('a', ['x']), host('b'), host('c', ['x'])]);
    open('a');
    down('b');
    expect(orderOf(selector, 'x')).toBe('cb');
    open('b');
    open('c');
    expect(orderOf(selector, 'x')).toBe('');
  });

  it('shares first tries by weight', () => {
    const { selector } = choose([host('a', [], 2), host('b', [], 1)]);
    expect(firstsOf(selector, 9)).toBe('abaabaaba');
  });

  it('gives a host that has just come back a tenth of its share', async () => {
    const { selector, down, back } = choose([host('a'), host('b')]);
    down('a');
    await back('a');
    expect(firstsOf(selector, 22).replaceAll('b', '')).toHaveLength(2);
  });
});
