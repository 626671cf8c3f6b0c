import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tally } from './checks.ts';

/** The part of Jest's JSON report that is counted. */
interface JestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/** Runs every test there is in one Jest run, with its reports on the terminal, and counts them. */
export async function runJest(args: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'morgan-test-'));
  const report = join(folder, 'report.json');
  try {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--experimental-vm-modules',
        // For Jest's workers: most of what a spec makes dies young, where there is room for it until then.
        '--max-semi-space-size=64',
        'node_modules/jest/bin/jest.js',
        '--json',
        `--outputFile=${report}`,
        ...args,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const [code] = (await once(child, 'exit')) as [number | null];
    return countTests(await readReport(report), code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every way in which a run can fail without a failed test counts as one failure; so does a test that did not run. */
export function countTests(report: JestReport | undefined, code: number | null): Tally {
  if (!report) return { passed: 0, failed: 1 };
  const passed = report.numPassedTests;
  const failed =
    report.numFailedTests +
    report.numPendingTests +
    report.numTodoTests +
    report.numRuntimeErrorTestSuites +
    (passed === 0 ? 1 : 0);
  return { passed, failed: failed === 0 && (code !== 0 || !report.success) ? 1 : failed };
}

async function readReport(file: string): Promise<JestReport | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JestReport;
  } catch {
    return undefined;
  }
}
