import { describe, expect, it } from '@jest/globals';
import { docRegion } from '@morgan/testing';
import { ERROR_CODES } from './error-codes.ts';
import { HTTP_STATUS } from './error-kind.ts';

describe('docs/errors.md', () => {
  it('has exactly the codes of the code', () => {
    const rows = Object.entries(ERROR_CODES).map(
      ([code, { kind, doc }]) => `| \`${code}\` | ${HTTP_STATUS[kind]} | ${doc} |`,
    );
    const table = ['| code | status | meaning |', '| --- | --- | --- |', ...rows].join('\n');
    expect(docRegion('docs/errors.md', 'errors', table)).toBe(table);
  });
});
