import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/**
 * The layers of docs/architecture.md: a project may import only from layers below its own, never sideways, never up.
 * There is no `*` row, so a project without tags fails.
 */
const layers = ['layer:0', 'layer:1', 'layer:2', 'layer:3', 'layer:4', 'layer:5', 'layer:6'];
const layerRows = layers.map((sourceTag, index) => ({
  sourceTag,
  onlyDependOnLibsWithTags: layers.slice(0, index),
}));
const scopeRows = [
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  { sourceTag: 'scope:llm', onlyDependOnLibsWithTags: ['scope:llm', 'scope:shared'] },
  { sourceTag: 'scope:embedding', onlyDependOnLibsWithTags: ['scope:embedding', 'scope:shared'] },
];
const outsideRows = ['layer:e2e', 'layer:tool', 'layer:testkit'].map((sourceTag) => ({
  sourceTag,
  onlyDependOnLibsWithTags: ['layer:testkit'],
}));

const boundaries = (rows) => [
  'error',
  {
    allow: [],
    enforceBuildableLibDependency: false,
    checkDynamicDependenciesExceptions: [],
    depConstraints: rows,
  },
];

/** Tests, and what stands beside them for them, may use the test kit. */
const testBoundaries = boundaries([
  ...[...layerRows, ...outsideRows].map((row) => ({
    ...row,
    onlyDependOnLibsWithTags: [...row.onlyDependOnLibsWithTags, 'layer:testkit'],
  })),
  ...scopeRows,
]);

/** Each vendor package has one owner; everyone else goes through the owner's interface. */
const owners = {
  '@huggingface/transformers': 'local-embeddings',
  '@nestjs/axios': 'axios-transport',
  '@nestjs/swagger': 'http-server',
  '@nestjs/terminus': 'health-monitor',
  axios: 'axios-transport',
  fastify: 'http-server',
  'find-my-way': 'http-server',
  ioredis: 'redis',
  'lru-cache': 'cache',
  'onnxruntime-node': 'local-embeddings',
  opossum: 'redis',
  pino: 'telemetry',
  'prom-client': 'telemetry',
  protobufjs: 'local-embeddings',
  tokenizers: 'local-embeddings',
  undici: 'http-transport',
};
const restrictTo = (owner) => ({
  files: owner ? [`libs/infrastructure/${owner}/**/*.ts`] : ['apps/*/src/**/*.ts', 'libs/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: Object.entries(owners)
          .filter(([, itsOwner]) => itsOwner !== owner)
          .map(([name, itsOwner]) => ({ name, message: `${name} belongs to ${itsOwner}.` })),
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.nx', '.cache', '.bench', 'coverage'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': boundaries([...layerRows, ...scopeRows, ...outsideRows]),
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      // A promise that leaves a scope with `using` outlives what it was made with.
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/no-extraneous-class': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Read the environment in one place per app: src/config.',
        },
      ],
    },
  },
  restrictTo(undefined),
  ...[...new Set(Object.values(owners))].map(restrictTo),
  {
    files: ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'],
    rules: {
      '@nx/enforce-module-boundaries': testBoundaries,
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      'max-params': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': 'off',
    },
  },
  { files: ['**/fixture/**/*.ts'], rules: { '@nx/enforce-module-boundaries': testBoundaries } },
  {
    files: [
      'apps/*/src/config/environment.ts',
      // Hands it on and reads nothing.
      'libs/infrastructure/local-embeddings/src/processes/model-process-env.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['tools/**/*.ts'], rules: { 'no-console': 'off', 'no-restricted-properties': 'off' } },
  prettier,
);
