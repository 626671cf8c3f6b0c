import { readFileSync } from 'node:fs';

const { paths } = JSON.parse(
  readFileSync(new URL('./tsconfig.base.json', import.meta.url), 'utf8'),
).compilerOptions;

const aliases = Object.fromEntries(
  Object.entries(paths).map(([alias, [target]]) => [`^${alias}$`, target.replace(/^\./, '<rootDir>')]),
);

export default {
  testEnvironment: '<rootDir>/tools/testing/jest.environment.ts',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  moduleNameMapper: aliases,
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  runtime: '<rootDir>/tools/testing/jest.runtime.ts',
  testSequencer: '<rootDir>/tools/testing/jest.sequencer.ts',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.nx/'],
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'],
};
