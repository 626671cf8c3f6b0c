import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RUN_SOURCES, waitFor } from '@morgan/testing';
import { BatchedOutput } from './batched-output.ts';

const PROGRAM = join(import.meta.dirname, '../fixture/log-and-end.ts');
/** More than a batch, and more than a pipe holds. */
const LINES = 1_000;

describe('batched log output', () => {
  it.each([
    'by itself',
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
    expect(written.length - numbers.length).toBe(ending.startsWith('SIGKILL') ? 1 : 0);
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
