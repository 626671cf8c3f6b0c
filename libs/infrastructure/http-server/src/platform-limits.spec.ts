import { describe, expect, it } from '@jest/globals';
import { type LogFields, silentLogger } from '@morgan/foundation';
import { httpConfig } from './http-server.config.ts';
import { connectionsWithin, type PlatformLimits, warnOfPlatform } from './platform-limits.ts';

describe('limits of the configuration above those of the platform', () => {
  const config = httpConfig({ port: 0, bodyLimitBytes: 2_048, maxBodyBytes: 65_536 }).parse({
    maxConnections: 1_000,
  });
  const warningsOf = (limits: Partial<PlatformLimits>) => {
    const warnings: LogFields[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    warnOfPlatform(config, logger, { memoryBytes: 0, openFiles: undefined, ...limits });
    return warnings;
  };

  it('are told of at the start', () => {
    expect(warningsOf({ memoryBytes: 65_535, openFiles: 1_999 })).toEqual([
      { maxBytes: 65_536, memoryBytes: 65_535 },
      { maxConnections: 1_000, openFiles: 1_999, within: 999 },
    ]);
  });

  it.each<[string, Partial<PlatformLimits>]>([
    ['there is room', { memoryBytes: 65_536, openFiles: 2_000 }],
    ['nobody says', {}],
    ['the limit is none', { memoryBytes: 2 ** 64 }],
  ])('are none where %s', (_, limits) => {
    expect(warningsOf(limits)).toEqual([]);
  });
});

describe('the connections that are accepted', () => {
  it.each([
    [1_000, undefined, 1_000],
    [1_000, 2_000, 1_000],
    [1_000, 64, 32],
    [1_000, 1, 1],
  ])('are, of %d configured and with %d open files, %d', (maxConnections, openFiles, accepted) => {
    expect(connectionsWithin(maxConnections, { openFiles })).toBe(accepted);
  });
});
