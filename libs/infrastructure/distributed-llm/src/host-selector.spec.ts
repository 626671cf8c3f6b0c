import { describe, expect, it } from '@jest/globals';
import { Host } from './host.ts';
import { HostSelector } from './host-selector.ts';

const host = (name: string, models: string[] = [], weight = 1) => {
  const one = new Host({ name, url: 'http://127.0.0.1:1/v1', weight });
  one.reached();
  one.described(
    1,
    models.map((id) => ({ id })),
  );
  return one;
};

/** All hosts in the order in which one call would try them. */
const orderOf = (selector: HostSelector, model?: string) => {
  const tried = new Set<Host>();
  for (let next = selector.next(model, tried); next; next = selector.next(model, tried)) tried.add(next);
  return Array.from(tried, ({ name }) => name).join('');
};

describe('HostSelector', () => {
  it('names every host once', () => {
    const selector = new HostSelector([host('a'), host('b'), host('c')]);
    expect(orderOf(selector)).toBe('abc');
  });

  it('puts hosts that list the model first and leaves none out', () => {
    const selector = new HostSelector([host('a', ['x']), host('b', ['y']), host('c', ['y', 'x'])]);
    expect(orderOf(selector, 'y')).toBe('bca');
    expect(orderOf(selector, 'nobody-has-it')).toHaveLength(3);
  });

  it('puts hosts that cannot be reached last, even those with the model', () => {
    const [a, b, c] = [host('a', ['x']), host('b', []), host('c', ['x'])];
    a.missed('connect_error');
    expect(orderOf(new HostSelector([a, b, c]), 'x')).toBe('cba');
    b.missed('connect_error');
    c.missed('connect_error');
    expect(orderOf(new HostSelector([a, b, c]), 'x')).toBe('acb');
  });

  it('does not hold against a host that nothing is known of it yet', () => {
    const [fresh, down] = [new Host({ name: 'f', url: 'http://h/v1', weight: 1 }), host('d')];
    down.missed('timeout');
    expect(orderOf(new HostSelector([down, fresh]))).toBe('fd');
  });

  it('shares first tries by weight', () => {
    const selector = new HostSelector([host('a', [], 2), host('b', [], 1)]);
    const firsts = Array.from({ length: 9 }, () => selector.next(undefined, new Set())?.name);
    expect(firsts.join('')).toBe('abaabaaba');
  });
});
