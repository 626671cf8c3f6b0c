import { markdownTable } from './table.ts';
import type { Result } from './verdict.ts';

/** docs/faults.md, from a run. */
export function faultsPage(results: readonly Result[], seed: number): string {
  const held = results.filter(({ misses }) => misses.length === 0).length;
  return `# What callers see when hosts fail

Written by \`npm run build && npm run faults -- --write\` from a run of the built service against hosts with real sockets:
${held} of ${results.length} cases hold, with seed ${seed}. The seed gives the moments and the places at which things happen;
\`--seed\` takes another one, \`--case\` runs those with a text in their name.

In all cases no call may hang and \`/readyz\` says 200 throughout; but for the \`/models\` cases, a healthy call after the
trouble succeeds and host *a* is in use again within 30 s, within 10 s where it is alone (or in the time that it asked for).
A call that need not wait for a host is over within 2 s, and so is one for a healthy host beside the trouble. *alone*: there is
no other host; *equal*: b is in the same tier; *tier*: b is in the next one; *elsewhere*: so, for a stream that breaks;
*continued*: and b goes on with a text that was begun. Time-outs are shorter than by default except in the cases called
\`default/...\`, which have nothing configured but \`LLM_HOSTS\`; in \`scaled/...\` the breaker's times, and the time for
the way back, are a tenth. Times of hosts count from the beginning of the trouble.

Meanwhile \`/readyz\`, which answers at once, is asked five times a second: the time that it takes longer is the machine's own
and left out of all bounds. A case that does not hold while the machine stood still for a second says nothing, and is played again.

${sections(results)}
`;
}

function sections(results: readonly Result[]): string {
  return `<!-- prettier-ignore-start -->\n${markdownTable(results)}\n<!-- prettier-ignore-end -->`;
}
