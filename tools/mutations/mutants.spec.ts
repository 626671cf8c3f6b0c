import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { partMutants, rowMutants } from './mutants.ts';

const DOC = readFileSync(join(import.meta.dirname, '../../docs/evidence.md'), 'utf8');
const rowsOf = (mutants: readonly { row: string }[]) => new Set(mutants.map(({ row }) => row));

describe('the mutants of the evidence table', () => {
  it('take out every row', () => {
    const rows = DOC.match(/^\| `\w+` \|/gm);
    expect(rowMutants(DOC)).toHaveLength(rows?.length ?? NaN);
    expect(rowsOf(rowMutants(DOC)).size).toBeGreaterThan(30);
  });

  it('leave nothing of a row, or make a fault of what says nothing', () => {
    const of = (row: string) => rowMutants(DOC).find((mutant) => mutant.row === row)?.statement;
    expect(of('rate_limited')).toContain('next: "return", weight: "none"');
    expect(of('rate_limited')).not.toContain('rest');
    expect(of('aborted')).toContain('next: "next target", weight: "fault"');
  });

  it('change each cell by itself', () => {
    const ofRow = partMutants(DOC).filter(({ row }) => row === 'server_error');
    expect(ofRow.map(({ change }) => change)).toEqual([
      'weight is none',
      'next is return',
      'mayBeRequest is left out',
    ]);
    expect(rowsOf(partMutants(DOC))).toEqual(rowsOf(rowMutants(DOC)));
  });
});
