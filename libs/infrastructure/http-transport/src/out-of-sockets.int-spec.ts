import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { listen, RUN_SOURCES } from '@morgan/testing';

const FILES = 200;
const LONGEST_RUN_MS = 45_000;

/** Asks while every file that the process may open is open, and once more when they are closed. */
const PROGRAM = `
const { closeSync, openSync } = await import('node:fs');
const { HttpTransport } = await import('@morgan/http-transport');
const transport = new HttpTransport({ maxConnections: 3 });
const ask = async () => {
  const response = await transport.request({ origin: process.env.ORIGIN, path: '/', method: 'GET' });
  return String(await response.bytes());
};
const files = [];
try {
  for (;;) files.push(openSync('/dev/null', 'r'));
} catch {}
const refused = await ask().catch(({ reason, beforeResponse }) => ({ reason, beforeResponse }));
files.forEach((file) => closeSync(file));
const answer = await ask();
await transport.close(0);
console.log(JSON.stringify({ refused, answer }));
`;

it('a process that may open no more files says so, and nothing of the host', async () => {
  await using server = await listen((_request, response) => response.end('here'));
  const script = `ulimit -n ${FILES} && exec "$0" "$@"`;
  const node = [process.execPath, ...RUN_SOURCES, '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)('sh', ['-c', script, ...node], {
    timeout: LONGEST_RUN_MS,
    env: { ...process.env, ORIGIN: server.origin },
  });
  expect(JSON.parse(stdout)).toEqual({
    refused: { reason: 'out_of_sockets', beforeResponse: true },
    answer: 'here',
  });
});
