import { describe, expect, it } from '@jest/globals';
import { Counter, Histogram, Registry } from 'prom-client';
import { Metrics } from './metrics.ts';

const BUCKETS = [0.1, 1, 10];
const VALUES = [0, 0.1, 0.10001, 1, 5, 10, 11, 1_000];

describe('counters and histograms', () => {
  it('are rendered to the letter as those of prom-client are', async () => {
    const registry = new Registry();
    const registers = [registry];
    const names = { c: 'morgan_c_total', p: 'morgan_p_total', h: 'morgan_h', q: 'morgan_q' };
    const theirs = {
      c: new Counter({ name: names.c, help: 'Counts "c".', labelNames: ['a', 'b'], registers }),
      p: new Counter({ name: names.p, help: 'Plain.', registers }),
      h: new Histogram({ name: names.h, help: 'Times.', labelNames: ['a'], buckets: BUCKETS, registers }),
      q: new Histogram({ name: names.q, help: 'Plain.', buckets: BUCKETS, registers }),
    };
    const metrics = new Metrics();
    const ours = {
      c: metrics.counter({ name: names.c, help: 'Counts "c".', labels: ['a', 'b'] }),
      p: metrics.counter({ name: names.p, help: 'Plain.' }),
      h: metrics.histogram({ name: names.h, help: 'Times.', labels: ['a'], buckets: BUCKETS }),
      q: metrics.histogram({ name: names.q, help: 'Plain.', buckets: BUCKETS }),
    };
    expect(await metrics.render()).toBe(await registry.metrics());
    for (const { c, h } of [theirs, ours]) {
      c.inc({ a: 'x', b: 'y' });
      c.labels({ b: 'y', a: 'x' }).inc(2.5);
      c.inc({ a: 'quo"te\\ and\nline' }, 3);
      for (const value of VALUES) h.observe({ a: 'x' }, value);
      h.labels({ a: 'y' }).observe(7);
    }
    expect(await metrics.render()).toBe(await registry.metrics());
  });

  it('forget what is gone for good, whatever label its name stands under', async () => {
    const metrics = new Metrics();
    const counts = metrics.counter({ name: 'morgan_c_total', help: 'C.', labels: ['a', 'b'] });
    const times = metrics.histogram({ name: 'morgan_h', help: 'H.', labels: ['b'], buckets: BUCKETS });
    const before = counts.labels({ a: 'gone', b: 'x' });
    counts.inc({ a: 'x', b: 'gone' });
    counts.inc({ a: 'other' });
    times.observe({ b: 'gone' }, 1);
    metrics.forget(['a', 'b', 'c'], 'gone');
    before.inc();
    expect((await metrics.render()).match(/^morgan.*$/gm)).toEqual(['morgan_c_total{a="other"} 1']);
    counts.inc({ a: 'gone' });
    expect(await metrics.render()).toContain('morgan_c_total{a="gone"} 1');
  });

  it('show at each scrape what somebody else has counted', async () => {
    let count = 1;
    const metrics = new Metrics();
    metrics.counter({ name: 'morgan_c_total', help: 'C.', labels: ['a'] }, (counter) => {
      counter.labels({ a: 'x' }).value = count;
    });
    expect(await metrics.render()).toContain('morgan_c_total{a="x"} 1\n');
    count = 5;
    expect(await metrics.render()).toContain('morgan_c_total{a="x"} 5\n');
  });

  it('take no label that they do not have', () => {
    const counter = new Metrics().counter({ name: 'morgan_c_total', help: 'C.', labels: ['a'] });
    expect(() => counter.inc({ a: 'x', b: 'y' } as { a: string })).toThrow('there is no label "b"');
  });

  it('are told apart by all of their labels', async () => {
    const metrics = new Metrics();
    const counter = metrics.counter({ name: 'morgan_c_total', help: 'C.', labels: ['a', 'b'] });
    counter.inc({ a: 'x' });
    counter.inc({ b: 'x' });
    expect((await metrics.render()).match(/^morgan_c_total\{.*$/gm)).toEqual([
      'morgan_c_total{a="x"} 1',
      'morgan_c_total{b="x"} 1',
    ]);
  });

  it.each([
    ['morgan c', () => new Metrics().counter({ name: 'morgan c', help: 'C.' })],
    ['a b', () => new Metrics().counter({ name: 'morgan_c_total', help: 'C.', labels: ['a b'] })],
    ['buckets', () => new Metrics().histogram({ name: 'morgan_h', help: 'H.', buckets: [2, 1] })],
  ])('are refused where a scraper could not read them: %s', (named, make) => {
    expect(make).toThrow(named);
  });
});
