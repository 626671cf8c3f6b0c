import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadServiceConfig } from '@morgan/foundation';
import { FOREIGN_SECTIONS, llmServiceConfig } from './llm-service.config.ts';

const FILE = join(import.meta.dirname, '../../../../docs/examples/morgan.yaml');
const KEYS = {
  MORGAN_API_KEY: 'callers-key',
  MORGAN_ADMIN_KEY: 'operators-key',
  AZURE_OPENAI_API_KEY: 'azure-key',
};

const load = (env: Record<string, string>) =>
  loadServiceConfig(llmServiceConfig, { MORGAN_CONFIG: FILE, ...env }, FOREIGN_SECTIONS);

describe('docs/examples/morgan.yaml', () => {
  it('is a configuration with the numbers of the design', () => {
    const { auth, llmService } = load(KEYS);
    const { upstream, admin } = llmService;
    expect(auth.apiKeys).toEqual(['callers-key']);
    expect(admin).toEqual({ host: '127.0.0.1', port: 9090, apiKey: 'operators-key' });
    expect(upstream).toMatchObject({
      maxConnections: 100,
      probeIntervalMs: 30_000,
      circuitBreaker: { failureThreshold: 5, resetTimeoutMs: 60_000 },
    });
    expect(upstream.hosts.map(({ name, weight }) => [name, weight])).toEqual([
      ['gpu1', 2],
      ['gpu2', 1],
      ['ollama', 1],
      ['azure', 1],
    ]);
    for (const { rateLimit } of upstream.hosts)
      expect(rateLimit).toMatchObject({ requestsPerSecond: 10, burst: 20 });
    expect(upstream.hosts[3]).toMatchObject({
      apiKey: 'azure-key',
      keyHeader: 'api-key',
      query: { 'api-version': '2024-10-21' },
      probe: false,
    });
    expect(upstream.routes[0]?.tiers.map((tier) => tier.length)).toEqual([1, 2]);
  });

  it('says which keys it needs', () => {
    expect(() => load({})).toThrow(/MORGAN_API_KEY[^]*MORGAN_ADMIN_KEY[^]*AZURE_OPENAI_API_KEY/);
  });
});

describe('docs/examples/kubernetes/morgan.yaml', () => {
  const MORGAN_CONFIG = FILE.replace('morgan.yaml', 'kubernetes/morgan.yaml');

  it('is a configuration whose keys come from the environment', () => {
    const { upstream } = load({
      MORGAN_CONFIG,
      VLLM_API_KEY: 'own-key',
      OPENAI_API_KEY: 'their-key',
    }).llmService;
    expect(upstream.hosts.map(({ name, apiKey }) => [name, apiKey])).toEqual([
      ['vllm-0', 'own-key'],
      ['vllm-1', 'own-key'],
      ['openai', 'their-key'],
    ]);
  });
});

describe('docs/migration.md', () => {
  it('has a configuration that loads, with the limits that it translates', () => {
    const page = readFileSync(FILE.replace('examples/morgan.yaml', 'migration.md'), 'utf8');
    const folder = mkdtempSync(join(tmpdir(), 'migration-'));
    const MORGAN_CONFIG = join(folder, 'morgan.yaml');
    try {
      writeFileSync(MORGAN_CONFIG, /^```yaml\n([^]*?)^```$/m.exec(page)?.[1] ?? '');
      const { auth, llmService } = load({
        MORGAN_CONFIG,
        MASTER_KEY: 'sk-master',
        OPENAI_API_KEY: 'their-key',
      });
      expect(auth.apiKeys).toEqual(['sk-master']);
      expect(llmService.upstream.hosts[0]).toMatchObject({
        rateLimit: { requestsPerSecond: 10, burst: 600 },
        tokenLimit: { tokensPerMinute: 200_000 },
      });
      expect(llmService.upstream.routes[0]?.tiers.map((tier) => tier.length)).toEqual([2, 1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
