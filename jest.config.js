import { join } from 'node:path';
import preset from './jest.preset.js';

// A service compiles 2,500 modules when it starts, which takes a fifth of its time, and a test run starts dozens of processes.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.cache/compiled');

export default {
  ...preset,
  rootDir: import.meta.dirname,
  testTimeout: 120_000,
  // Specs always run in workers, because fake timers replace those of Node's realm: beside them Jest's reporters would set
  // theirs on the fake clock. Only this setting has that effect; the limit itself is never reached.
  workerIdleMemoryLimit: '8GB',
  reporters: ['default', '<rootDir>/tools/testing/streaming-contract/contract-reporter.ts'],
  coverageProvider: 'v8',
  coverageReporters: [['text-summary', { file: 'summary.txt' }]],
  collectCoverageFrom: ['apps/*/src/**/*.ts', 'libs/**/src/**/*.ts', '!**/*spec.ts'],
  globalSetup: '<rootDir>/tools/testing/redis.global-setup.ts',
  globalTeardown: '<rootDir>/tools/testing/redis.global-teardown.ts',
};
