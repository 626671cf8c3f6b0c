import { basename } from 'node:path';
import { docRegion } from '../doc-region.ts';
import { seenTable } from './contract-page.ts';
import { STREAMING_CONTRACT } from './streaming-contract.ts';

const PAGE = 'docs/streaming.md';

/** The part of Jest's results that is read. */
export interface RunResults {
  readonly testResults: readonly {
    readonly testFilePath: string;
    readonly testResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/**
 * Holds docs/streaming.md to what the tests of a run showed: a run fails where the page says something else. With
 * UPDATE_DOCS=1 the page is rewritten. A run without all of these tests, or in which one fails, says nothing about the page.
 */
export default class ContractReporter {
  #error: Error | undefined;

  onRunComplete(_contexts: unknown, { testResults }: RunResults): void {
    const specs = new Set(STREAMING_CONTRACT.flatMap(({ lines }) => lines.map(([, spec]) => spec)));
    const tests = testResults.flatMap(({ testFilePath, testResults: results }) => {
      const spec = basename(testFilePath).replace(/\.[\w-]*spec\.ts$/, '');
      return specs.has(spec) ? results.map((result) => ({ ...result, spec })) : [];
    });
    const hasAll = [...specs].every((name) => tests.some(({ spec }) => spec === name));
    if (hasAll && tests.every(({ status }) => status === 'passed')) this.#compare(tests);
  }

  /** Jest ends with 1 where a reporter has an error. */
  getLastError(): Error | undefined {
    return this.#error;
  }

  #compare(tests: readonly { spec: string; ancestorTitles: readonly string[]; title: string }[]): void {
    try {
      const table = seenTable(
        STREAMING_CONTRACT,
        tests.map(({ spec, ancestorTitles, title }) => ({ spec, titles: [...ancestorTitles, title] })),
      );
      if (docRegion(PAGE, 'seen', table) === table) return;
      throw new Error('it differs from what the tests showed; npm run docs:streaming brings it up to date');
    } catch (error) {
      this.#error = new Error(`${PAGE}: ${error instanceof Error ? error.message : String(error)}`);
      console.error(`\n${this.#error.message}`);
    }
  }
}
