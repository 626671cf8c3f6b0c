import { describe, expect, it } from '@jest/globals';
import { type LogFields, silentLogger } from '@morgan/foundation';
import { warnOfMemory } from './memory-warning.ts';

describe('bodies that may take more memory than there is', () => {
  const warningsOf = (maxBytes: number, limitBytes: number) => {
    const warnings: LogFields[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    warnOfMemory({ maxBytes }, logger, limitBytes);
    return warnings;
  };

  it('are told of at the start', () => {
    expect(warningsOf(2_000, 1_000)).toEqual([{ maxBytes: 2_000, limitBytes: 1_000 }]);
  });

  it.each([
    ['there is room', 1_000],
    ['there is no limit', 0],
    ['the limit is none', 2 ** 64],
  ])('are not where %s', (_, limitBytes) => {
    expect(warningsOf(1_000, limitBytes)).toEqual([]);
  });
});
