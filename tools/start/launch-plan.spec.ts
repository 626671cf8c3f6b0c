import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortWish } from './claim-port.ts';
import { planLaunch } from './launch-plan.ts';

/** Every port is free, and whoever wants any gets 50000. */
const claim = ({ port }: PortWish) => Promise.resolve(port || 50_000);
const plan = (env: Record<string, string>) => planLaunch(env, claim);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'launch-plan-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function configFile(text: string): Promise<string> {
  const file = join(folder, 'morgan.yaml');
  await writeFile(file, text);
  return file;
}

describe('planLaunch', () => {
  it('needs nothing: two services, a simulated host, the bundled model', async () => {
    expect(await plan({})).toEqual({
      llm: {
        origin: 'http://127.0.0.1:8080',
        env: {
          HOST: '127.0.0.1',
          PORT: '8080',
          EMBEDDING_URL: 'http://127.0.0.1:8081/v1',
          EMBEDDING_API_KEY: undefined,
          LLM_HOSTS: 'simulated=http://127.0.0.1:50000/v1',
        },
      },
      embedding: { origin: 'http://127.0.0.1:8081', env: { HOST: '127.0.0.1', PORT: '8081' } },
      simulated: {
        origin: 'http://127.0.0.1:50000',
        env: {
          SIMULATED_HOST: '127.0.0.1',
          SIMULATED_PORT: '50000',
          SIMULATED_TTFT_MS: '150',
          SIMULATED_TOKENS_PER_SECOND: '40',
        },
      },
      needsBundledModel: true,
      apiKey: undefined,
    });
  });

  it.each([
    ['keeps from llm-service', {}, { ADMIN_API_KEY: undefined }],
    ['gives llm-service', { ADMIN_PORT: '0' }, {}],
  ])('%s the key of operators, %j', async (_, more, expected) => {
    const { llm } = await plan({ ADMIN_API_KEY: 'of-operators', ...more });
    // The environment of the launcher is beneath it: an entry without a value takes the variable away.
    expect(Object.entries(llm.env).filter(([name]) => name === 'ADMIN_API_KEY')).toEqual(
      Object.entries(expected),
    );
  });

  it.each([
    [{ PORT: '9000' }, '9000', '9001'],
    [{ PORT: '9000', EMBEDDING_PORT: '7000' }, '9000', '7000'],
    [{ EMBEDDING_PORT: '7000' }, '8080', '7000'],
    [{ PORT: '0' }, '50000', '50000'],
  ])('with %j listens on %s and %s', async (env, llm, embedding) => {
    const { llm: gateway, embedding: embeddings } = await plan(env);
    expect([gateway.env['PORT'], embeddings.env['PORT']]).toEqual([llm, embedding]);
  });

  it.each([
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://[::1]:8080'],
    ['10.0.0.5', 'http://10.0.0.5:8080'],
  ])('reaches a service that listens on %s at %s', async (HOST, origin) => {
    const { llm } = await plan({ HOST });
    expect([llm.env['HOST'], llm.origin]).toEqual([HOST, origin]);
  });

  it('leaves real hosts, another embedding service and another model alone', async () => {
    const env = { LLM_HOSTS: 'a=http://a/v1', EMBEDDING_URL: 'http://e/v1', EMBEDDING_MODEL: './model' };
    const { llm, simulated, needsBundledModel } = await plan(env);
    expect({ simulated, needsBundledModel }).toEqual({ simulated: undefined, needsBundledModel: false });
    expect(llm.env).toMatchObject({ EMBEDDING_URL: 'http://e/v1' });
    expect(llm.env).not.toHaveProperty('LLM_HOSTS');
  });

  it('reads the same from the configuration file, with values from the environment', async () => {
    const MORGAN_CONFIG = await configFile(`
      auth: { apiKeys: ['\${KEY}', second] }
      llmService: { http: { port: 9100 }, upstream: { hosts: [{ name: a, url: 'http://a/v1' }] } }
      embeddingService: { http: { port: '\${E_PORT}' }, model: { model: bundled } }`);
    const { llm, embedding, simulated, needsBundledModel, apiKey } = await plan({
      MORGAN_CONFIG,
      KEY: 'first',
      E_PORT: '9200',
    });
    expect([llm.origin, embedding.origin]).toEqual(['http://127.0.0.1:9100', 'http://127.0.0.1:9200']);
    expect({ simulated, needsBundledModel, apiKey }).toEqual({
      simulated: undefined,
      needsBundledModel: true,
      apiKey: 'first',
    });
    expect(llm.env).toMatchObject({ EMBEDDING_API_KEY: 'first' });
  });

  it.each(['llmService: { upstream: { hosts: [] } }', 'llmService: 7', ': no [yaml', ''])(
    'simulates a host while the file has none: %j',
    async (text) => {
      const { simulated } = await plan({ MORGAN_CONFIG: await configFile(text) });
      expect(simulated).toBeDefined();
    },
  );

  it('gives the gateway the key of the simulated host, and keeps the pace that was asked for', async () => {
    const { llm, simulated } = await plan({ SIMULATED_API_KEY: 'k', SIMULATED_TTFT_MS: '0' });
    expect(llm.env['LLM_HOSTS']).toBe('simulated=http://127.0.0.1:50000/v1;apiKey=k');
    expect(simulated?.env['SIMULATED_TTFT_MS']).toBe('0');
  });

  it.each(['x', '-1', '65536', '80.5'])('refuses the port %s in one sentence', async (PORT) => {
    await expect(plan({ PORT })).rejects.toThrow(
      `"${PORT}" is not a port; set PORT to a number from 0 to 65535.`,
    );
  });
});
