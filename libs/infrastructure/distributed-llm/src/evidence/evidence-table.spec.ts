import { describe, expect, it } from '@jest/globals';
import { docRegion } from '@morgan/testing';
import { evidenceTable } from './evidence-doc.ts';
import { EVIDENCE } from './evidence-table.ts';

describe('docs/evidence.md', () => {
  it('has exactly the rows of the code', () => {
    const table = evidenceTable();
    expect(docRegion('docs/evidence.md', 'evidence', table)).toBe(table);
  });
});

describe('the evidence table', () => {
  it('rests what an outcome is about, and never a whole host', () => {
    for (const { about, rest } of Object.values(EVIDENCE)) if (rest) expect(rest.of).toBe(about);
  });

  it('lets a target be in use again within half a minute of its recovery', () => {
    const longest = Object.values(EVIDENCE).map(({ rest }) => rest?.maxMs ?? 0);
    expect(Math.max(...longest)).toBeLessThan(30_000);
  });

  it('never calls a fault what the caller or this process did', () => {
    for (const { about, weight } of Object.values(EVIDENCE)) {
      if (about === 'caller' || about === 'this process') expect(weight).toBe('none');
    }
  });
});
