import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';

const source = (path: string) => pathToFileURL(join(import.meta.dirname, '../../..', path)).href;

/** Trips a breaker with every feature on, leaves a probe hanging, and then has nothing left to do. */
const PROGRAM = `
import { registerHooks } from 'node:module';
registerHooks({
  resolve: (name, context, next) =>
    next(name === '@morgan/foundation' ? '${source('foundation/src/index.ts')}' : name, context),
});
const { CircuitBreaker } = await import('${source('infrastructure/circuit-breaker/src/circuit-breaker.ts')}');
const breaker = new CircuitBreaker({
  name: 'host',
  config: {
    resetTimeoutMs: 1, slowCallMs: 1_000, predictive: {},
    failureRate: { minimumCalls: 1 },
  },
});
const context = { id: 'call', signal: new AbortController().signal };
await breaker.execute(() => Promise.reject(new Error('reset')), context).catch(() => undefined);
const before = performance.now();
while (performance.now() - before < 2);
void breaker.execute(() => new Promise(() => undefined), context);
console.log(breaker.state, process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length);
`;

describe('a process with a tripped breaker', () => {
  it('ends by itself', async () => {
    const flags = ['--no-warnings', '--experimental-transform-types', '--input-type=module', '-e', PROGRAM];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 20_000 });
    expect(stdout).toBe('HALF_OPEN 0\n');
  }, 30_000);
});
