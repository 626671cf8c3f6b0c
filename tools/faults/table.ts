import type { Seen } from './caller.ts';
import type { Sighting } from './fault-host.ts';
import type { Result } from './verdict.ts';

/** `6 x 200, 1 x 503`, in the order in which they came first. */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} x ${word}`).join(', ');
}

/** What callers saw: statuses, and the longest time. */
export function callersInShort(seen: readonly Seen[]): string {
  if (seen.length === 0) return '';
  const longest = Math.max(...seen.map(({ tookMs }) => tookMs));
  const ends = seen.map(({ status, end, host }) =>
    end === 'clean' ? `${status} ${status === 200 ? (host ?? '') : ''}`.trim() : `${status || 'none'} ${end}`,
  );
  return `${tally(ends)}; at most ${inWords(longest)}`;
}

/** What a host saw: what it did and when, from the beginning of the trouble on. */
export function hostInShort(name: string, seen: readonly Sighting[], since: number): string {
  const after = seen.filter(({ at }) => at >= since);
  const first = after.slice(0, 3).map(({ at }) => inWords(at - since));
  const times = first.length > 0 ? ` at ${first.join(', ')}${after.length > 3 ? ', ...' : ''}` : '';
  return `${name}: ${after.length === 0 ? 'none' : tally(after.map(({ did }) => did))}${times}`;
}

/** The table of docs/faults.md. */
export function markdownTable(results: readonly Result[]): string {
  const head = ['case', 'what was done', 'callers saw', 'hosts saw', 'bound', 'back after', 'holds'];
  const rows = results.map(({ name, trouble, callers, hosts, bound, backMs, misses }) => [
    `\`${name}\``,
    trouble,
    callers,
    hosts,
    bound,
    backMs === undefined ? '' : inWords(backMs),
    misses.length === 0 ? 'yes' : `no: ${misses[0]}`,
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(escaped).join(' | ')} |`)
    .join('\n');
}

export function inWords(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}
