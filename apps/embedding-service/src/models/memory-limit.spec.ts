import { describe, expect, it } from '@jest/globals';
import { type LogFields, silentLogger } from '@morgan/foundation';
import { memoryLimit } from './memory-limit.ts';

describe('the memory that is planned with', () => {
  const limitOf = (configuredMb: number | undefined) => {
    const warnings: LogFields[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    return { limitMb: memoryLimit(configuredMb, logger, 1_536), warnings };
  };

  it.each([undefined, 512, 1_536])('is as configured: %s', (configuredMb) => {
    expect(limitOf(configuredMb)).toEqual({ limitMb: configuredMb, warnings: [] });
  });

  it('is never more than the container has, and the log says so', () => {
    expect(limitOf(8_000)).toEqual({
      limitMb: undefined,
      warnings: [{ configuredMb: 8_000, thereMb: 1_536 }],
    });
  });
});
