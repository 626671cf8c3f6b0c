import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { listen, type LocalServer, RUN_SOURCES } from '@morgan/testing';
import { warmFile } from './warm-file.ts';

const TEXTS = Array.from({ length: 40 }, (_, index) => `text ${index}`);

let folder: string;
let file: string;
let server: LocalServer;
let sent: string[][];
let breakOff: (response: ServerResponse) => void;

/** A service that gets through 16 texts in a call, be it that they are all there were. */
beforeEach(async () => {
  sent = [];
  folder = await mkdtemp(join(tmpdir(), 'morgan-warm-'));
  file = join(folder, 'texts.txt');
  await writeFile(file, TEXTS.join('\n'));
  server = await listen((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = JSON.parse(Buffer.concat(parts).toString()) as { input: string[] };
      sent.push(input);
      const done = Math.min(16, input.length);
      response.write(
        `${JSON.stringify({ of: input.length, done, cached: 1, computed: done - 1, failed: 0 })}\n`,
      );
      if (done === input.length) response.end();
      else breakOff(response);
    });
  });
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const fault = (code: string) => `${JSON.stringify({ error: { message: 'no', code }, retryAfterMs: 1 })}\n`;
const warm = () => warmFile(file, { url: server.origin }, () => undefined);

it.each([
  ['its time is over', (response: ServerResponse) => response.end(fault('deadline_exceeded'))],
  ['Redis does not take the vectors', (response: ServerResponse) => response.end(fault('cache_unavailable'))],
  ['the connection ends', (response: ServerResponse) => setImmediate(() => response.destroy())],
])('goes on behind what is through where a call breaks off because %s', async (_, how) => {
  breakOff = how;
  const { texts, cached, computed, failed } = await warm();
  expect(sent).toEqual([TEXTS, TEXTS.slice(16), TEXTS.slice(32)]);
  expect({ texts, cached, computed, failed }).toEqual({ texts: 40, cached: 3, computed: 37, failed: 0 });
});

it('says why it waits, and for how long', async () => {
  breakOff = (response) => response.end(fault('deadline_exceeded'));
  const waits: unknown[] = [];
  await warmFile(file, { url: server.origin, onWait: (...told) => waits.push(told) }, () => undefined);
  expect(waits).toEqual([
    ['no', 1],
    ['no', 1],
  ]);
});

it('stops where the service refuses for good', async () => {
  breakOff = (response) => response.end(fault('model_not_found'));
  await expect(warm()).rejects.toThrow('no');
  expect(sent).toHaveLength(1);
});

it('writes whole lines where nobody looks on: one for each percent, and what went wrong', async () => {
  breakOff = (response) => response.end(fault('deadline_exceeded'));
  const long = 'x'.repeat(1_500_000);
  await writeFile(file, ['{"text": 5}', long, long, long, ...TEXTS].join('\n'));
  const program = join(import.meta.dirname, 'warm.ts');
  const child = spawn(process.execPath, [...RUN_SOURCES, program, file, '--url', server.origin]);
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  expect(await once(child, 'exit')).toEqual([1, null]);
  const said = [out, err].map(async (pieces) => ((await pieces) as string[]).join(''));
  expect(await Promise.all(said)).toEqual([
    expect.stringMatching(/^(\d\d\.\d % {2}\d texts: .* failed\n)+100\.0 % {2}43 texts: .*, 1 failed\n$/),
    expect.stringMatching(/^.*texts\.txt: line 1 .*\n(http:.*: no; trying again in 0\.0 s\n){2}$/),
  ]);
});

it('ends with npm: a SIGTERM to `npm run warm` does not leave it at work', async () => {
  const called = Promise.withResolvers<ServerResponse>();
  breakOff = called.resolve;
  const npm = spawn('npm', ['run', '-s', 'warm', '--', file, '--url', server.origin]);
  const left = once(await called.promise, 'close');
  npm.kill('SIGTERM');
  await Promise.all([left, once(npm, 'exit')]);
  expect(sent).toHaveLength(1);
});
