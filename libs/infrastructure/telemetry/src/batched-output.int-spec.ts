import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RUN_SOURCES, waitFor } from '@morgan/testing';
import { BatchedOutput } from './batched-output.ts';

const PROGRAM = join(import.meta.dirname, '../fixture/log-and-end.ts');
const TALKER = join(import.meta.dirname, '../fixture/log-on-and-on.ts');
/** More than a batch, and more than a pipe holds. */
const LINES = 1_000;
/** Which endings have further lines. */
const OTHER_LINES: Readonly<Record<string, number>> = {
  'with a second logger': 1,
  'SIGKILL behind an error line': 1,
};

describe('batched log output', () => {
  it.each([
    'by itself',
    'with a second logger',
    'process.exit',
    'an uncaught error',
    'an unhandled rejection',
    'SIGTERM',
    'SIGKILL behind an error line',
  ])('loses no line when the process ends: %s', async (ending) => {
    const args = [...RUN_SOURCES, PROGRAM, ending, String(LINES)];
    const child: ChildProcessWithoutNullStreams = spawn(process.execPath, args);
    child.stderr.resume();
    const lines = (await text(child.stdout)).trimEnd().split('\n');
    const written = lines.map((line) => JSON.parse(line) as { msg: string; line?: number });
    const numbers = written.filter(({ msg }) => msg === 'line').map(({ line }) => line);
    expect(numbers).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
    expect(written.length - numbers.length).toBe(OTHER_LINES[ending] ?? 0);
  });

  describe('to a file', () => {
    let folder: string;
    let file: string;
    let output: BatchedOutput;
    const content = () => readFileSync(file, 'utf8');

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'log-'));
      file = join(folder, 'log');
      output = new BatchedOutput(openSync(file, 'a'));
    });
    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    it('holds a line back for a batch, but not for long', async () => {
      output.write('one\n');
      expect(content()).toBe('');
      await waitFor(() => content() === 'one\n', { what: 'the line' });
    });

    it('writes at once what fills a batch', () => {
      const line = `${'x'.repeat(999)}\n`;
      for (let count = 0; count < 20; count += 1) output.write(line);
      expect(content().length).toBeGreaterThan(8_192);
    });

    it('writes an error at once, behind the lines before it', () => {
      output.lastLevel = 30;
      output.write('before\n');
      output.lastLevel = 50;
      output.write('error\n');
      expect(content()).toBe('before\nerror\n');
    });
  });
});

/** Lines of about 300 bytes: far more than a pipe and the output itself hold. */
const MANY = 20_000;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A program that logs on and on. @returns it, and a wait until it has logged so many lines more. */
function talk(stdout: number | 'pipe'): { child: ChildProcess; more: (lines: number) => Promise<unknown> } {
  const child = spawn(process.execPath, [...RUN_SOURCES, TALKER], { stdio: ['ignore', stdout, 'pipe'] });
  children.push(child);
  let logged = 0;
  child.stderr?.on('data', (data: Buffer) => (logged = Number(data.toString().trim().split('\n').at(-1))));
  const more = (lines: number) => {
    const goal = logged + lines;
    return waitFor(() => logged >= goal, { what: `${lines} lines more`, timeoutMs: 60_000 });
  };
  return { child, more };
}

describe('a log that nobody takes', () => {
  it('holds nobody up, and says how many lines were lost once they are taken again', async () => {
    const { child, more } = talk('pipe');
    await more(MANY);
    let lost: number | undefined;
    const numbers: number[] = [];
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { msg, lines, line: number } = JSON.parse(line) as Record<string, unknown>;
      if (msg === 'line') numbers.push(number as number);
      else lost ??= lines as number;
    });
    await waitFor(() => lost !== undefined && (numbers.at(-1) ?? 0) > MANY, { what: 'the lines after it' });
    const gaps = numbers.flatMap((number, at) => {
      const before = numbers[at - 1] ?? 0;
      return number === before + 1 ? [] : [number - before - 1];
    });
    expect(gaps[0]).toBe(lost);
    expect(numbers.indexOf(3_000)).toBe(2_999);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['its reader is gone', 'pipe'],
    ['its disk is full', openSync('/dev/full', 'w')],
  ] as const)('as %s does not end the process, nor keep it from ending', async (_, stdout) => {
    const { child, more } = talk(stdout);
    child.stdout?.destroy();
    await more(MANY);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
