import assert from 'node:assert/strict';
import { CircuitBreakerRegistry } from './src/index.ts';

const changes: string[] = [];
const breakers = new CircuitBreakerRegistry({ config: { failureThreshold: 2, slowCallMs: 30_000 } });
breakers.onChange(({ breaker, from, to, reason }) => changes.push(`${breaker}: ${from} > ${to}, ${reason}`));

const context = { id: 'request-1', signal: AbortSignal.timeout(10_000) };
const askHost = () => breakers.get('gpu-1').execute(() => fetch('http://127.0.0.1:2/v1/models'), context);
await assert.rejects(askHost, { message: 'fetch failed' });
await assert.rejects(askHost, { message: 'fetch failed' });
await assert.rejects(askHost, { code: 'circuit_open' }); // with retryAfterMs, the time to the next trial call
assert.deepEqual(changes, ['gpu-1: CLOSED > OPEN, consecutive_failures']);
assert.equal(breakers.getStatus()['gpu-1']?.state, 'OPEN');
