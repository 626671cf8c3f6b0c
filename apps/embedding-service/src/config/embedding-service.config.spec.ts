import { describe, expect, it } from '@jest/globals';
import { configurationTable, listSettings, loadConfig } from '@morgan/foundation';
import { docRegion, shownSettings } from '@morgan/testing';
import { embeddingServiceConfig } from './embedding-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of embedding-service', () => {
    const table = configurationTable(embeddingServiceConfig);
    expect(docRegion('docs/configuration.md', 'embedding-service', table)).toBe(table);
  });
});

describe('an error of the configuration', () => {
  it('never shows what a setting was set to', () => {
    const shown = shownSettings(listSettings(embeddingServiceConfig), (sources) =>
      loadConfig(embeddingServiceConfig, sources),
    );
    expect(shown).toEqual([]);
  });
});
