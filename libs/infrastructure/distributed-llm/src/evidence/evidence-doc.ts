import type { Evidence } from './evidence.ts';
import { EVIDENCE } from './evidence-table.ts';

/** The table of docs/evidence.md. */
export function evidenceTable(): string {
  const rows = Object.entries(EVIDENCE).map(
    ([outcome, row]) =>
      `| \`${outcome}\` | ${row.seen} | ${aboutOf(row)} | ${row.next} | ${row.weight} | ${restOf(row)} |`,
  );
  const head = '| outcome | what happened | evidence about | the call | breaker and health | rest |';
  return [head, '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function aboutOf({ about, mayBeRequest, mayBeHost }: Evidence): string {
  if (mayBeHost) return `${about}; the host where it does so to one request after the other`;
  return mayBeRequest ? `${about}; the request where several targets fail alike` : about;
}

function restOf({ rest }: Evidence): string {
  return rest ? `${rest.of}: as said, else ${rest.firstMs / 1000} s, doubling to ${rest.maxMs / 1000} s` : '';
}
