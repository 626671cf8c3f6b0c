import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { startService } from './service.ts';
import { waitFor } from './wait-for.ts';

const entry = join(import.meta.dirname, 'fixture/small-service.ts');
const start = (config: object, more: object = {}) =>
  startService({ app: 'llm-service', entry, config, ...more });

describe('startService', () => {
  it('resolves when the service is ready, with a clean environment, and collects its log', async () => {
    process.env['MORGAN_LEAK'] = 'no';
    const service = await start({}, { env: { OWN: '1' } });
    delete process.env['MORGAN_LEAK'];
    const names = (await (await fetch(service.url)).json()) as string[];
    expect(names).toEqual(expect.arrayContaining(['OWN', 'PATH', 'PORT', 'HOST', 'MORGAN_CONFIG']));
    expect(names).not.toContain('MORGAN_LEAK');
    expect(await service.stop()).toEqual({ code: 0, signal: null, durationMs: expect.any(Number) });
    expect(service.logs.map(({ msg }) => msg)).toEqual(['listening', 'stopped']);
  });

  it('stops with another signal, and twice without harm', async () => {
    const service = await start({});
    expect(await service.stop('SIGKILL')).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await service.stop()).toMatchObject({ signal: 'SIGKILL' });
  });

  it('rejects with the output of a service that ends', async () => {
    await expect(start({ fault: 'exit' })).rejects.toThrow(
      'llm-service ended with code 3:\nThe configuration has 1 fault:\n  - port: too odd',
    );
  });

  it('rejects and ends a service that is never ready', async () => {
    const failure = start({ fault: 'never ready' }, { readyWithinMs: 3_000 });
    const error = await failure.then(
      () => new Error('it was ready'),
      (reason: Error) => reason,
    );
    expect(error.message).toContain('llm-service was not ready in 3000 ms:\n{"msg":"listening"');
    const pid = Number(/"pid":(\d+)/.exec(error.message)?.[1]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

it('does not outlive the process that started it, even when that is killed', async () => {
  const module = pathToFileURL(join(import.meta.dirname, 'service.ts')).href;
  const program = `
    const { startService } = await import('${module}');
    const service = await startService({ app: 'llm-service', entry: '${entry}', config: {} });
    console.log(service.process.pid);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  expect(process.kill(Number(pid), 0)).toBe(true);
  child.kill('SIGKILL');
  const isGone = () => {
    try {
      return !process.kill(Number(pid), 0);
    } catch {
      return true;
    }
  };
  await waitFor(isGone, { what: 'the end of the service' });
});
