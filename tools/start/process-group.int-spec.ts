import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { waitFor } from '@morgan/testing';

/** Longer than a busy machine takes to end a process. */
const LONG_GRACE_MS = 20_000;

/** Runs a launcher of its own, because the processes of a group write to the output of the one that starts them. */
function launch(children: readonly string[], graceMs = LONG_GRACE_MS) {
  const launcher = spawn(process.execPath, [join(import.meta.dirname, 'fixture/launcher.ts'), ...children], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, GRACE_MS: String(graceMs) },
  });
  let output = '';
  launcher.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(launcher, 'close');
  const says = (text: string) => waitFor(() => output.includes(text), { what: `"${text}"` });
  const end = async () => {
    launcher.stdin.end();
    await closed;
    return output;
  };
  return { launcher, says, end, closed, lines: () => output.trim().split('\n') };
}

describe('ProcessGroup', () => {
  it('stops the last one first, each after the other', async () => {
    const { says, end } = launch(['one', 'two', 'three']);
    await Promise.all(['one runs', 'two runs', 'three runs'].map(says));
    expect(await end()).toMatch(/three stops\n.*two stops\n.*one stops\nkilled: \n$/s);
  });

  it('says which one ended by itself, and how', async () => {
    const { says, end } = launch(['one', 'two:exit']);
    await says('EndedEarly: two ended with code 7; its reason is above, everything else was stopped.');
    await says('one runs');
    expect(await end()).toContain('one stops');
  });

  it('kills what does not stop in time', async () => {
    const { says, end } = launch(['one', 'two:deaf'], 200);
    await Promise.all(['one runs', 'two runs'].map(says));
    expect(await end()).toContain('killed: two');
  });

  it('leaves nothing behind when the launcher is killed', async () => {
    const { launcher, says, closed, lines } = launch(['one', 'two']);
    await Promise.all(['one runs', 'two runs'].map(says));
    launcher.kill('SIGKILL');
    // The output closes when the last process that can write to it has ended.
    await closed;
    expect(lines().slice(2).sort()).toEqual(['one stops', 'two stops']);
  });
});
