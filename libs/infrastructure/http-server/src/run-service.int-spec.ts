import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RUN_SOURCES, waitFor } from '@morgan/testing';
import { STOP_MARGIN_MS } from './stop-service.ts';

const PROGRAM = join(import.meta.dirname, '../fixture/lifecycle.ts');
/** For which a port stays open, in milliseconds: enough for two requests of a busy machine. */
const LEAST_MS = 4_000;

function start(what: string, settings: object = {}, openFiles = 1_024) {
  const command = [process.execPath, ...RUN_SOURCES, PROGRAM, what, JSON.stringify(settings)];
  const child = spawn('sh', ['-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...command]);
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const exit = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  const until = (text: string) => waitFor(() => output.includes(text), { what: text, timeoutMs: 40_000 });
  return { child, exit, until, output: () => output };
}

describe('a stop', () => {
  it.concurrent('that comes while the service is built opens no port and exits 0', async () => {
    const { child, exit, until } = start('built late');
    await until('building');
    child.kill('SIGTERM');
    const { code, output } = await exit;
    expect(code).toBe(0);
    expect(output).toContain('"stopped"');
    expect(output).not.toContain('listening');
  });

  it.concurrent('ends a service that is never built', async () => {
    const { child, exit, until } = start('never built');
    await until('building');
    const before = performance.now();
    child.kill('SIGTERM');
    expect((await exit).code).toBe(1);
    expect(performance.now() - before).toBeGreaterThanOrEqual(STOP_MARGIN_MS - 10);
  });

  it.concurrent('ends a service whose parts never close, and says so', async () => {
    const { child, exit, until } = start('never closed', { shutdownGraceMs: 200 });
    await until('listening');
    child.kill('SIGTERM');
    const { code, output } = await exit;
    expect(code).toBe(1);
    expect(output).toMatch(/"level":"error".*"boundMs":5200.*the stop takes too long/);
    expect(output).not.toContain('"stopped"');
  });

  it.concurrent('keeps the port open for the least time, with `connection: close`', async () => {
    const { child, exit, until, output } = start('nothing wrong', {
      minDrainMs: LEAST_MS,
      shutdownGraceMs: 100,
    });
    await until('listening');
    const url = /"url":"([^"]+)"/.exec(output())?.[1] ?? '';
    const signalled = performance.now();
    child.kill('SIGTERM');
    await until('"stopping"');
    let answered = 0;
    for (;;) {
      const response = await fetch(`${url}/nowhere`).catch(() => undefined);
      if (!response) break;
      expect([response.status, response.headers.get('connection')]).toEqual([404, 'close']);
      await response.arrayBuffer();
      answered += 1;
    }
    expect(answered).toBeGreaterThan(1);
    expect(performance.now() - signalled).toBeGreaterThanOrEqual(LEAST_MS - 10);
    expect((await exit).code).toBe(0);
  });

  it.concurrent('closes the connection of a request that came before it, too', async () => {
    const { child, exit, until, output } = start('nothing wrong');
    await until('listening');
    const answer = fetch(`${/"url":"([^"]+)"/.exec(output())?.[1]}/late`);
    await until('waiting for the stop');
    child.kill('SIGTERM');
    const { status, headers } = await answer;
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    expect((await exit).code).toBe(0);
  });

  it.concurrent('resets what it cuts where HTTP/1.0 would take a part for the whole', async () => {
    const { child, exit, until, output } = start('nothing wrong', { shutdownGraceMs: 200 });
    await until('listening');
    const socket = connect(Number(/"url":"[^"]+:(\d+)"/.exec(output())?.[1]), '127.0.0.1');
    let fault: string | undefined;
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (fault = code));
    const end = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /endless HTTP/1.0\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    child.kill('SIGTERM');
    await end;
    expect(fault).toBe('ECONNRESET');
    expect((await exit).code).toBe(0);
  });

  it.concurrent('says of each request that it cuts that it did, not that its client left', async () => {
    const { child, exit, until, output } = start('nothing wrong', { shutdownGraceMs: 200 });
    await until('listening');
    const url = /"url":"([^"]+)"/.exec(output())?.[1] ?? '';
    const answer = fetch(`${url}/hang`).catch(() => 'cut');
    const leaver = new AbortController();
    const left = fetch(`${url}/hang`, { signal: leaver.signal }).catch(() => 'left');
    await waitFor(() => output().split('hanging').length === 3, { what: 'both requests' });
    leaver.abort();
    expect(await left).toBe('left');
    await until('"status":499');
    child.kill('SIGTERM');
    const { code, output: text } = await exit;
    expect([await answer, code]).toEqual(['cut', 0]);
    const lines = text.split('\n').filter((line) => line.includes('/hang'));
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { status: 499, aborted: true },
      { status: 503, errorCode: 'service_stopping' },
    ]);
    expect(lines[1]).not.toContain('aborted');
  });
});

describe('a start', () => {
  it.concurrent.each(['10.255.255.254', 'no.such.name.invalid'])(
    'on the address %s, which is none of this machine, names it and the setting',
    async (host) => {
      const { code, output } = await start('nothing wrong', { host }).exit;
      expect(code).toBe(1);
      expect(output).toMatch(`lifecycle cannot start. This machine has no address ${host} to listen on (`);
      expect(output).toContain('choose another one with HOST.');
    },
  );

  it.concurrent.each(['nothing wrong', 'no IPv6'])(
    'on all addresses answers at that of IPv4: %s',
    async (machine) => {
      const { child, exit, until, output } = start(machine, { host: '::' });
      await until('listening');
      const url = /"url":"(http:\/\/127\.0\.0\.1:[^"]+)"/.exec(output())?.[1] ?? '';
      const { status } = await fetch(url);
      child.kill('SIGTERM');
      expect([status, (await exit).code]).toEqual([404, 0]);
    },
  );
});

it('an error that nobody catches is a line of the log before it ends the service', async () => {
  const { code, output } = await start('fails later').exit;
  expect(code).not.toBe(0);
  expect(output).toMatch(
    /"level":"error".*"error":\{"name":"Error","message":"nobody catches this".*"msg":"an error that nobody caught ends the service"/,
  );
});

/** Asks once on a new connection that stays open. @returns what came first; nothing where it was closed unanswered. */
async function ask(port: number): Promise<{ readonly answer: string; readonly closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const answer = new Promise<string>((resolve) =>
    socket.once('data', (data: Buffer) => resolve(data.toString())),
  );
  return { answer: await Promise.race([answer, closed.then(() => '')]), closed };
}

describe('a limit of open files below that of connections', () => {
  it('is no end: idle connections make room, and the log says so', async () => {
    const { child, exit, until, output } = start('nothing wrong', {}, 64);
    await until('listening');
    const port = Number(/"url":"[^"]+:(\d+)"/.exec(output())?.[1]);
    const first = await ask(port);
    let opened = 1;
    while ((await ask(port)).answer !== '') opened += 1;
    expect(opened).toBe(32);
    await until('the connection limit is met');
    await first.closed;
    expect((await ask(port)).answer).toMatch(/^HTTP\/1.1 404 /);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
  });
});
