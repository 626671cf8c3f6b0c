import preset from './jest.preset.js';

export default {
  ...preset,
  rootDir: import.meta.dirname,
  testTimeout: 60_000,
  globalSetup: '<rootDir>/tools/testing/redis.global-setup.ts',
  globalTeardown: '<rootDir>/tools/testing/redis.global-teardown.ts',
};
