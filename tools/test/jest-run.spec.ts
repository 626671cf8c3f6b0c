import { describe, expect, it } from '@jest/globals';
import { countTests } from './jest-run.ts';

const report = {
  success: true,
  numPassedTests: 10,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe('countTests', () => {
  it.each([
    ['a good run', report, 0, { passed: 10, failed: 0 }],
    ['failed tests', { ...report, success: false, numFailedTests: 2 }, 1, { passed: 10, failed: 2 }],
    ['skipped tests', { ...report, numPendingTests: 1, numTodoTests: 2 }, 0, { passed: 10, failed: 3 }],
    ['a suite that did not load', { ...report, numRuntimeErrorTestSuites: 1 }, 1, { passed: 10, failed: 1 }],
    ['no test at all', { ...report, numPassedTests: 0 }, 0, { passed: 0, failed: 1 }],
    ['an exit code that no test explains', report, 1, { passed: 10, failed: 1 }],
    ['no report', undefined, 1, { passed: 0, failed: 1 }],
  ])('%s', (_, given, code, expected) => {
    expect(countTests(given, code)).toEqual(expected);
  });
});
