import assert from 'node:assert/strict';
import { CircuitBreaker } from './src/index.ts';

const changes: string[] = [];
const host = new CircuitBreaker({ name: 'gpu-1', failureThreshold: 2, slowCallMs: 30_000 });
host.onChange(({ breaker, from, to, reason }) => changes.push(`${breaker}: ${from} > ${to}, ${reason}`));

const askHost = () => host.execute(({ signal }) => fetch('http://127.0.0.1:2/v1/models', { signal }));
await assert.rejects(askHost, { message: 'fetch failed' });
await assert.rejects(askHost, { message: 'fetch failed' });
await assert.rejects(askHost, { code: 'circuit_open' }); // with retryAfterMs, the time to the next trial call
assert.deepEqual(changes, ['gpu-1: CLOSED > OPEN, consecutive_failures']);
assert.equal(host.getStatus().state, 'OPEN');
