import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { docRegion } from '../doc-region.ts';
import { contractText, seenTable, type Section } from './contract-page.ts';
import ContractReporter, { type RunResults } from './contract-reporter.ts';
import { STREAMING_CONTRACT } from './streaming-contract.ts';

const ROOT = join(import.meta.dirname, '../../..');
const LINES = STREAMING_CONTRACT.flatMap(({ lines }) => lines);

describe('docs/streaming.md', () => {
  it('has exactly the lines of the contract', () => {
    const text = contractText(STREAMING_CONTRACT);
    expect(docRegion('docs/streaming.md', 'contract', text)).toBe(text);
  });

  it('is written by a run of every spec that it names', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const patterns = scripts['docs:streaming']?.split('jest.js ')[1]?.split(' ') ?? [];
    const specs = [...new Set(LINES.map(([, spec]) => spec))];
    const isRun = (spec: string) =>
      patterns.some((pattern) => `/${spec}.int-spec.ts/${spec}.e2e-spec.ts`.includes(`/${pattern}`));
    expect(specs.filter((spec) => !isRun(spec))).toEqual([]);
  });

  it.each(LINES)('%s', (_, spec, test) => {
    const [file = ''] = globSync(`{apps,libs}/**/src/**/${spec}.{,int-,e2e-}spec.ts`, { cwd: ROOT });
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(["'", '"'].some((quote) => source.includes(quote + test + quote))).toBe(true);
  });
});

describe('what a run showed', () => {
  const sections: Section[] = [
    {
      title: 'Ends',
      lines: [
        ['It ends.', 'relay', 'ends'],
        ['It breaks.', 'relay', 'breaks when the host %s'],
        ['It breaks loudly.', 'relay', 'breaks when the host %s'],
        ['It is never joined.', 'resume', 'what cannot be joined'],
      ],
    },
  ];
  const passed = (spec: string, ...titles: string[]) => ({ spec, titles });
  const run = [
    passed('relay', 'a stream', 'ends'),
    passed('relay', 'a stream', 'breaks when the host is cut'),
    passed('relay', 'a message', 'breaks when the host is cut'),
    passed('relay', 'a stream', 'breaks when the host sends a|b'),
    passed('resume', 'what cannot be joined', 'a tool call'),
    passed('resume', 'what can be joined', 'a text'),
  ];

  it('is each test with its cases', () => {
    expect(seenTable(sections, run).split('\n').slice(2)).toEqual([
      '| relay: ends | 1 |  |',
      '| relay: breaks when the host %s | 3 | is cut; sends a\\|b |',
      '| resume: what cannot be joined | 1 | a tool call |',
    ]);
  });

  it('has to be there for every line', () => {
    expect(() => seenTable(sections, run.slice(1))).toThrow('no test passed that is named "relay: ends"');
  });
});

describe('the reporter of the contract', () => {
  /** A run in which each test that a line names was there once, with a case that no test has. */
  const results: RunResults['testResults'] = LINES.map(([, spec, test]) => ({
    testFilePath: `/x/${spec}.int-spec.ts`,
    testResults: [{ ancestorTitles: [], title: test.replace('%s', 'sings'), status: 'passed' }],
  }));
  const errorAfter = (testResults: RunResults['testResults']) => {
    const reporter = new ContractReporter();
    const printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    // What was never run must not be written to the page.
    const update = process.env['UPDATE_DOCS'];
    delete process.env['UPDATE_DOCS'];
    reporter.onRunComplete(undefined, { testResults });
    if (update !== undefined) process.env['UPDATE_DOCS'] = update;
    printed.mockRestore();
    return reporter.getLastError()?.message;
  };
  const first = results.slice(0, 1).map((file) => ({
    ...file,
    testResults: file.testResults.map((test) => ({ ...test, status: 'failed' })),
  }));

  it('fails a run that showed something else than the page says', () => {
    expect(errorAfter(results)).toContain('it differs from what the tests showed');
  });

  it('fails a run in which a test of a line is not there', () => {
    const renamed = results.map((file, at) => (at > 0 ? file : { ...file, testResults: [] }));
    expect(errorAfter(renamed)).toContain(
      `no test passed that is named "${LINES[0]?.[1]}: ${LINES[0]?.[2]}"`,
    );
  });

  it.each([
    ['lacks specs', results.filter(({ testFilePath }) => !testFilePath.includes('resume'))],
    ['has failures of its own', [...results.slice(1), ...first]],
  ])('says nothing of a run that %s', (_, testResults) => {
    expect(errorAfter(testResults)).toBeUndefined();
  });
});
