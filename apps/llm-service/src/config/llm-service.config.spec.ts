import { describe, expect, it } from '@jest/globals';
import { configurationTable, ConfigError, listSettings, loadConfig } from '@morgan/foundation';
import { docRegion } from '@morgan/testing';
import { llmServiceConfig } from './llm-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of llm-service', () => {
    const table = configurationTable(llmServiceConfig);
    expect(docRegion('docs/configuration.md', 'llm-service', table)).toBe(table);
  });
});

const CANARY = 'c4n4ry-c4n4ry';

/** What people put into the wrong setting, or mistype. */
const VALUES: unknown[] = [
  CANARY,
  ` ${CANARY} with a space`,
  `${CANARY},${CANARY}`,
  `http://user:${CANARY}@host/v1`,
  `http://host/v1?key=${CANARY}`,
  `one=http://host/v1;apiKey=a;${CANARY}`,
  `one=http://host/v1;apiKey=a;${CANARY}=b`,
  `one=http://host/v1;apiKey=a,${CANARY},${CANARY}`,
  `one=http://${CANARY}@host/v1`,
  `${CANARY}=ftp://host`,
  { [CANARY]: CANARY },
  [{ [CANARY]: CANARY, name: CANARY, url: CANARY }],
  [CANARY, CANARY],
];

function faultsOf(sources: Parameters<typeof loadConfig>[1]): string {
  try {
    loadConfig(llmServiceConfig, sources);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('an error of the configuration', () => {
  const entries = listSettings(llmServiceConfig);

  it.each(entries.map(({ path, env }) => [path, env] as const))(
    'never shows what %s was set to',
    (path, env) => {
      for (const value of VALUES) {
        if (env && typeof value === 'string') {
          expect(faultsOf({ env: { [env]: value } })).not.toContain(CANARY);
        }
        const secret = entries.some((entry) => entry.path === path && entry.secret);
        if (!secret && typeof value === 'object') continue;
        const file = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
        expect(faultsOf({ env: {}, file })).not.toContain(CANARY);
      }
    },
  );
});
