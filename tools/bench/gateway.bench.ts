import { type BenchRow, measure } from './bench-row.ts';
import { startChild } from './child.ts';
import { gatewayLines } from './gateway/gateway-lines.ts';
import { requestsPerSecond } from './load.ts';

const ROUND_MS = 3_000;
const ROUNDS = 5;

/** llm-service against what a gateway costs at least, and against another one. */
export async function gatewayBench(): Promise<BenchRow[]> {
  return [...(await chatThroughDefaults()), ...(await gatewayLines())];
}

/** Without any setting, both in front of the same simulated host, 64 requests always under way by an ordinary client. */
async function chatThroughDefaults(): Promise<BenchRow[]> {
  using host = await startChild(['tools/fake-llm-host/main.ts', '--port', '0']);
  using bare = await startChild(['tools/bench/bare-passthrough.mjs', host.origin]);
  using gateway = await startChild(['dist/apps/llm-service/main.js'], {
    PORT: '0',
    LOG_FORMAT: 'json',
    LLM_HOSTS: `one=${host.origin}/v1`,
  });
  const body = JSON.stringify({
    model: 'simulated',
    messages: [{ role: 'user', content: 'Hello, Morgan!' }],
  });
  const rate = (origin: string) => () =>
    requestsPerSecond({ origin, path: '/v1/chat/completions', body, concurrency: 64, durationMs: ROUND_MS });
  return [
    await measure({
      name: 'gateway, chat without streaming, every request logged',
      unit: 'requests/s',
      target: 0.5,
      rounds: ROUNDS,
      subject: rate(gateway.origin),
      baseline: { name: 'bare node:http + undici passthrough', measure: rate(bare.origin) },
    }),
  ];
}
