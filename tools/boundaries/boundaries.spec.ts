import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Sample, Verdict } from './lint-probe.ts';

const ROOT = join(import.meta.dirname, '../..');
const REDIS = 'libs/infrastructure/redis/src/index.ts';
const RULE = '@nx/enforce-module-boundaries';

interface Case extends Sample {
  readonly name: string;
  /** The start of the one complaint that there must be; without it there must be none. */
  readonly complaint?: string;
}

const cases: readonly Case[] = [
  { name: 'down from Redis to the foundation', file: REDIS, code: `import '@morgan/foundation';` },
  {
    name: 'down from an app to the engine of its own scope',
    file: 'apps/llm-service/src/main.ts',
    code: `import '@morgan/distributed-llm';`,
  },
  {
    name: 'up from a policy to an engine',
    file: 'libs/infrastructure/security/src/api-keys.ts',
    code: `import '@morgan/local-embeddings';`,
    complaint: `${RULE}: A project tagged with "layer:3" can only depend on libs tagged with "layer:0", "layer:1", "layer:2"`,
  },
  {
    name: 'from one library to another of the same layer',
    file: REDIS,
    code: `import '@morgan/http-transport';`,
    complaint: `${RULE}: A project tagged with "layer:2" can only depend on libs tagged with "layer:0", "layer:1"`,
  },
  {
    name: 'from a service of one scope to a library of the other',
    file: 'apps/llm-service/src/main.ts',
    code: `import '@morgan/local-embeddings';`,
    complaint: `${RULE}: A project tagged with "scope:llm" can only depend on libs tagged with "scope:llm", "scope:shared"`,
  },
  {
    name: 'by a relative path, past the entry of a project',
    file: REDIS,
    code: `import '../../../foundation/src/logger.ts';`,
    complaint: `${RULE}: Projects cannot be imported by a relative or absolute path`,
  },
  {
    name: 'by production code from the test kit',
    file: REDIS,
    code: `import '@morgan/testing';`,
    complaint: `${RULE}: A project tagged with "layer:2" can only depend on libs tagged with "layer:0", "layer:1"`,
  },
  {
    name: 'from a project without tags',
    file: REDIS,
    code: `import '@morgan/foundation';`,
    untagged: 'redis',
    complaint: `${RULE}: A project without tags matching at least one constraint cannot depend on any libraries`,
  },
  {
    name: 'of a vendor package by its owner',
    file: REDIS,
    code: `import 'ioredis';`,
  },
  {
    name: 'of a vendor package by anyone else',
    file: 'libs/infrastructure/cache/src/index.ts',
    code: `import 'ioredis';`,
    complaint: `no-restricted-imports: 'ioredis' import is restricted from being used. ioredis belongs to redis.`,
  },
];

describe('an import', () => {
  let verdicts: readonly Verdict[];

  beforeAll(async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'lint-probe.ts')], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(JSON.stringify(cases));
    verdicts = JSON.parse(await text(child.stdout)) as Verdict[];
  });

  it.each(cases.map((sample, index) => ({ ...sample, index })))('$name', ({ index, complaint }) => {
    const [first, ...others] = verdicts[index] ?? ['not linted'];
    expect(first?.slice(0, complaint?.length)).toBe(complaint);
    expect(others).toEqual([]);
  });
});
