import { beforeEach, describe, expect, it } from '@jest/globals';
import type { HostResponse } from '@morgan/distributed-llm';
import { Metrics } from '@morgan/telemetry';
import { ResponseMetrics } from './response-metrics.ts';

let metrics: Metrics;
let counted: ResponseMetrics;

beforeEach(() => {
  metrics = new Metrics();
  counted = new ResponseMetrics(metrics);
});

const from = (model: string, isModelNamed = true) =>
  ({ host: 'one', route: 'r', model, isModelNamed }) as HostResponse;

async function tokens(model: string): Promise<Record<string, number>> {
  const start = `morgan_llm_tokens_total{host="one",route="r",model="${model}",kind="`;
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith(start));
  return Object.fromEntries(
    lines.map((line) => {
      const [kind = '', value = ''] = line.slice(start.length).split('"} ');
      return [kind, Number(value)];
    }),
  );
}

describe('tokens', () => {
  it('are counted by their kind', async () => {
    counted.counted(from('m'), { input: 10, output: 5, cachedInput: 4 });
    counted.counted(from('m'), { input: 1 });
    expect(await tokens('m')).toEqual({ input: 11, output: 5, cached_input: 4 });
  });

  it('have a label for the first 200 models, however long the list of a host is', async () => {
    for (let index = 0; index < 205; index += 1) counted.counted(from(`m${index}`), { input: 1 });
    expect([await tokens('m0'), await tokens('m199'), await tokens('m200')]).toEqual([
      { input: 1 },
      { input: 1 },
      {},
    ]);
    expect(await tokens('other')).toEqual({ input: 5 });
  });

  it('of a model that nobody but a caller names are those of "other"', async () => {
    counted.counted(from('typed', false), { input: 2 });
    expect([await tokens('typed'), await tokens('other')]).toEqual([{}, { input: 2 }]);
  });
});
