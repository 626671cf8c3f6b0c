import { describe, expect, it } from '@jest/globals';
import { configurationTable } from '@morgan/foundation';
import { docRegion } from '@morgan/testing';
import { llmServiceConfig } from './llm-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of llm-service', () => {
    const table = configurationTable(llmServiceConfig);
    expect(docRegion('docs/configuration.md', 'llm-service', table)).toBe(table);
  });
});
