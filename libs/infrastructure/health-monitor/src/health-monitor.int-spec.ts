import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HealthMonitor, type HealthMonitorOptions } from './health-monitor.ts';
import type { HealthChange } from './health-state.ts';

/** Checks come soon, and may take long: a host is slow only where a test says when. */
const QUICK = { checkIntervalMs: 20, checkTimeoutMs: 30_000, slowResponseMs: 20_000, slowStartMs: 200 };

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A host whose way to answer can change, and that can die and come back on the same port. */
class TestHost {
  #server: LocalServer | undefined;
  #port = 0;
  listener: RequestListener = (_, response) => response.end('{}');
  inFlight = 0;
  mostInFlight = 0;

  async listen(): Promise<void> {
    const respond: RequestListener = (request, response) => {
      this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
      response.on('close', () => (this.inFlight -= 1));
      this.listener(request, response);
    };
    this.#server = await listen(respond, { port: this.#port });
    this.#port = this.#server.port;
    cleanUps.push(() => this.die());
  }

  async die(): Promise<void> {
    await this.#server?.close();
  }

  readonly check = async (signal: AbortSignal): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${this.#port}/models`, { signal });
    await response.arrayBuffer();
    if (response.status >= 500)
      throw Object.assign(new Error('host failed'), { code: `http_${response.status}` });
  };
}

async function hostOf(): Promise<TestHost> {
  const host = new TestHost();
  await host.listen();
  return host;
}

function monitorOf(hosts: Record<string, TestHost>, settings: Partial<HealthMonitorOptions> = {}) {
  const targets = Object.fromEntries(Object.entries(hosts).map(([name, { check }]) => [name, check]));
  const monitor = new HealthMonitor({ ...QUICK, ...settings, targets });
  const changes: HealthChange[] = [];
  monitor.onChange((change) => changes.push(change));
  cleanUps.push(() => monitor.stop());
  return { monitor, changes };
}

const stall: RequestListener = () => undefined;

describe('HealthMonitor over real hosts', () => {
  it('sees one die and come back, and spares it at first', async () => {
    const [a, b] = [await hostOf(), await hostOf()];
    const { monitor, changes } = monitorOf({ a, b });
    await monitor.start();
    expect(monitor.getStatus().state).toBe('HEALTHY');

    await a.die();
    await waitFor(() => monitor.stateOf('a') === 'UNHEALTHY', { what: 'a to be down' });
    expect(changes.at(-1)).toMatchObject({ target: 'a', reason: 'checks_failed', consecutiveFailures: 3 });
    expect(changes.at(-1)?.fault).toMatch(/^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/);
    expect(monitor.weightOf('a')).toBe(0);
    expect(monitor.stateOf('b')).toBe('HEALTHY');

    let shareAtReturn: number | undefined;
    monitor.onChange(() => (shareAtReturn ??= monitor.weightOf('a')));
    await a.listen();
    await waitFor(() => monitor.stateOf('a') === 'HEALTHY', { what: 'a to be back' });
    expect(shareAtReturn).toBe(0.1);
    await waitFor(() => monitor.weightOf('a') === 1, { what: 'a to have its whole share' });
    expect(changes.filter(({ target }) => target === 'b')).toHaveLength(1);
  });

  it('gives up on one that stalls, one request at a time, while the other is checked as ever', async () => {
    const [stalled, well] = [await hostOf(), await hostOf()];
    const { monitor } = monitorOf({ stalled, well }, { checkTimeoutMs: 500, slowResponseMs: 400 });
    await monitor.start();
    stalled.listener = stall;
    await waitFor(() => monitor.stateOf('stalled') === 'UNHEALTHY', { what: 'the stalled host to be down' });
    const [first, second] = monitor.getStatus().targets;
    expect(first?.recentChecks.at(-1)).toMatchObject({ verdict: 'failed', reason: 'timeout' });
    expect(first?.recentChecks.at(-1)?.durationMs).toBeLessThan(5_000);
    expect(stalled.mostInFlight).toBe(1);
    expect(second?.checks.ok).toBeGreaterThan(2 * (first?.checks.failed ?? Infinity));
  });

  it('calls one degraded that answers slowly, and one that answers 500 down', async () => {
    const [slow, broken] = [await hostOf(), await hostOf()];
    slow.listener = (_, response) => void setTimeout(() => response.end('{}'), 110);
    broken.listener = (_, response) => void response.writeHead(500).end();
    const { monitor } = monitorOf({ slow, broken }, { checkTimeoutMs: 2_000, slowResponseMs: 100 });
    await monitor.start();
    await waitFor(() => monitor.stateOf('slow') === 'DEGRADED', { what: 'the slow host to be degraded' });
    expect(monitor.stateOf('broken')).toBe('UNHEALTHY');
    expect(monitor.getStatus().targets[1]?.recentChecks[0]).toMatchObject({ reason: 'http_500' });
    slow.listener = (_, response) => response.end('{}');
    await waitFor(() => monitor.stateOf('slow') === 'HEALTHY', { what: 'the slow host to be well' });
  });

  it('lets live calls take a host down long before its next check, and a check on demand help it up', async () => {
    const host = await hostOf();
    const { monitor } = monitorOf({ host }, { checkIntervalMs: 60_000 });
    await monitor.start();
    const call = async () => {
      const beganAt = performance.now();
      const ok = await host.check(AbortSignal.timeout(1_000)).then(
        () => true,
        () => false,
      );
      monitor.report('host', { ok, durationMs: performance.now() - beganAt });
    };
    await host.die();
    await Promise.all([call(), call(), call(), call()]);
    expect(monitor.stateOf('host')).toBe('HEALTHY');
    await call();
    expect(monitor.stateOf('host')).toBe('UNHEALTHY');

    await host.listen();
    await Promise.all([call(), call(), call(), call()]);
    expect(monitor.stateOf('host')).toBe('UNHEALTHY');
    expect(await monitor.checkNow('host')).toMatchObject({ verdict: 'ok' });
    expect(monitor.stateOf('host')).toBe('HEALTHY');
  });

  it('leaves no request behind when it is stopped', async () => {
    const host = await hostOf();
    host.listener = stall;
    const { monitor } = monitorOf({ host }, { checkTimeoutMs: 60_000 });
    const firstRound = monitor.start();
    await waitFor(() => host.inFlight === 1, { what: 'the check to arrive' });
    monitor.stop();
    await firstRound;
    await waitFor(() => host.inFlight === 0, { what: 'the check to be given up' });
  });

  it('never keeps a process alive, even when nobody stops it', async () => {
    const source = (path: string) => new URL(path, import.meta.url).href;
    const program = `
      import { registerHooks } from 'node:module';
      const foundation = '${source('../../../foundation/src/index.ts')}';
      registerHooks({
        resolve: (name, from, next) => next(name === '@morgan/foundation' ? foundation : name, from),
      });
      const { HealthMonitor } = await import('${source('./health-monitor.ts')}');
      const targets = { well: async () => {}, hung: () => new Promise(() => {}) };
      const monitor = new HealthMonitor({ targets, checkTimeoutMs: 60_000 });
      monitor.onChange(({ target, to }) => console.log(target, to));
      void monitor.start();
    `;
    const child = spawn(
      process.execPath,
      ['--experimental-transform-types', '--no-warnings', '--input-type=module', '--eval', program],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    cleanUps.push(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([0, 'well HEALTHY\n']);
  });
});
