import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';

it('fails every call with the fault that it was started with, and lists its models all the same', async () => {
  const program = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [program, '--port', '0', '--fault', 'status:503'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const call = () => postJson(`${url}/chat/completions`, '{"model":"simulated","messages":[]}');
    expect([(await call()).status, (await call()).status]).toEqual([503, 503]);
    expect((await fetch(`${url}/models`)).status).toBe(200);
  } finally {
    child.kill();
    await once(child, 'close');
  }
});
