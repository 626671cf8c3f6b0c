import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RUN_SOURCES } from '@morgan/testing';

const TOOLS = join(import.meta.dirname, '..');

function call(program: string, ...args: string[]) {
  const command = [...RUN_SOURCES, join(TOOLS, program), ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { stdout, stderr, status };
}

describe.each([
  ['soak', 'soak/soak.ts', ['nothing'], 'no such soak: nothing'],
  ['soak', 'soak/soak.ts', ['embeddings', '--nothing'], "Unknown option '--nothing'"],
  ['bench', 'bench/bench.ts', ['nothing'], 'no such suite: nothing'],
  ['faults', 'faults/faults.ts', ['--seed', 'x'], '--seed x is not a whole number'],
  ['warm', 'warm/warm.ts', [], 'no file is named'],
  ['eval', 'eval/eval.ts', ['--nothing'], "Unknown option '--nothing'"],
  ['webgpu', 'webgpu/webgpu.ts', ['nothing'], 'no such folder: nothing'],
  ['mutations', 'mutations/mutations.ts', ['--row', 'nothing'], 'no row is called nothing'],
  ['start', 'start/start.ts', ['--port', '1'], 'npm start takes no arguments, and got --port 1'],
  ['release', 'release/release.ts', [], 'no version is named'],
] as const)('npm %s', (name, program, wrong, fault) => {
  it.each(['--help', '-h'])('says how it is called: %s', (option) => {
    expect(call(program, option)).toEqual({
      stdout: expect.stringMatching(new RegExp(`^usage: npm (run )?${name}\\b`)),
      stderr: '',
      status: 0,
    });
  });

  it(`says what is wrong, and how it is called: ${wrong.join(' ')}`, () => {
    const { stderr, status } = call(program, ...wrong);
    expect([stderr.split('\n')[0], status]).toEqual([expect.stringContaining(fault), 1]);
    expect(stderr).toMatch(new RegExp(`\nusage: npm (run )?${name}\\b`));
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
