import { describe, expect, it } from '@jest/globals';
import { configurationTable } from '@morgan/foundation';
import { docRegion } from '@morgan/testing';
import { embeddingServiceConfig } from './embedding-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of embedding-service', () => {
    const table = configurationTable(embeddingServiceConfig);
    expect(docRegion('docs/configuration.md', 'embedding-service', table)).toBe(table);
  });
});
