import preset from './jest.preset.js';

export default {
  ...preset,
  rootDir: import.meta.dirname,
  testTimeout: 60_000,
  coverageProvider: 'v8',
  coverageReporters: [['text-summary', { file: 'summary.txt' }]],
  collectCoverageFrom: ['apps/*/src/**/*.ts', 'libs/**/src/**/*.ts', '!**/*spec.ts'],
  globalSetup: '<rootDir>/tools/testing/redis.global-setup.ts',
  globalTeardown: '<rootDir>/tools/testing/redis.global-teardown.ts',
};
