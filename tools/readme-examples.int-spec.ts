import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';

const ROOT = join(import.meta.dirname, '..');
/** Their examples call a host, or Redis: a spec of the project has it, and runs the example. */
const WITH_HOSTS = /distributed-llm|http-client|health-monitor|redis|llm-service/;
const READMES = globSync('{apps,libs/infrastructure}/*/README.md', { cwd: ROOT });

it.each(READMES.filter((readme) => !WITH_HOSTS.test(readme)))(
  'the example of %s runs and prints what its comments say',
  async (readme) => {
    const { said, printed } = await runReadmeExample(join(ROOT, readme));
    expect(printed).toEqual(said);
  },
);

it.each(READMES.filter((readme) => WITH_HOSTS.test(readme)))(
  'the example of %s is run by a spec of its project',
  (readme) => {
    const specs = globSync('src/**/{readme,llm.service}.int-spec.ts', { cwd: join(ROOT, readme, '..') });
    expect(specs).toHaveLength(1);
  },
);
