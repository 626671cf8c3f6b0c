import { expect, it } from '@jest/globals';
import { loadConfig, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { llmServiceConfig } from '../config/llm-service.config.ts';
import { ConfigReloader } from './config-reloader.ts';
import { ReloadMetrics } from './reload-metrics.ts';

const load = (upstream: object) =>
  loadConfig(llmServiceConfig, { env: { LLM_HOSTS: 'one=http://h/v1' }, file: { llmService: { upstream } } });

it('warns of a limit that is never reached since the configuration was loaded again', async () => {
  const warnings: unknown[] = [];
  const reloader = new ConfigReloader({
    config: load({}),
    load: () => load({ streams: { stallTimeoutMs: 1_800_000 } }),
    apply: () => Promise.resolve(),
    replaceKeys: () => undefined,
    logger: { ...silentLogger, warn: (fields) => warnings.push(fields) },
    metrics: new ReloadMetrics(new Metrics()),
  });
  const stall = {
    limit: 'llmService.upstream.streams.stallTimeoutMs',
    endsBefore: 'llmService.timeouts.chatStreamMs',
  };
  expect(await reloader.reload('signal')).toMatchObject({ outcome: 'applied' });
  expect(warnings).toEqual([stall]);
  expect(await reloader.reload('signal')).toMatchObject({ outcome: 'unchanged' });
  expect(warnings).toEqual([stall]);
});
