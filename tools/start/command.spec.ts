import { describe, expect, it } from '@jest/globals';
import { CommandFailed, runQuietly } from './command.ts';

const node = (program: string) => runQuietly(process.execPath, ['-e', program]);

describe('runQuietly', () => {
  it('resolves with what the command wrote', async () => {
    await expect(node('console.log(1); console.error(2)')).resolves.toMatch(/^(1\n2\n|2\n1\n)$/);
  });

  it('rejects with the end of it when the command fails', async () => {
    const failure = node('for (let i = 1; i <= 100; i++) console.log(i); process.exitCode = 3');
    await expect(failure).rejects.toThrow(/^node -e .* ended with code 3\.$/);
    const { output } = (await failure.catch((error: unknown) => error)) as CommandFailed;
    expect(output.split('\n')).toEqual(Array.from({ length: 40 }, (_, index) => String(61 + index)));
  });

  it('rejects when there is no such command', async () => {
    await expect(runQuietly('no-such-command', [])).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends the command with the signal', async () => {
    const over = new AbortController();
    const waiting = runQuietly(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], {
      signal: over.signal,
    });
    over.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});
