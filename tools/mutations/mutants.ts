/** One change of the evidence table that a test must notice. */
export interface Mutant {
  /** The outcome whose row is changed. */
  readonly row: string;
  /** What is changed, in short. */
  readonly change: string;
  /** A statement that makes the change, to be put behind the table. */
  readonly statement: string;
}

/** A row as docs/evidence.md has it, which a test holds equal to the code. */
interface DocRow {
  readonly row: string;
  readonly about: string;
  readonly next: string;
  readonly weight: string;
  readonly rest: string;
}

const NOTHING = { about: 'this process', next: 'return', weight: 'none' };
/** What takes the place of a row that says no more than "nothing": the commonest of all. */
const HOST_FAULT = { about: 'host', next: 'next target', weight: 'fault' };
/** When they come about the call is over, or its response is under way: what it does next is not read. */
const OVER: ReadonlySet<string> = new Set([
  'ok',
  'outrun',
  'cancelled',
  'interrupted',
  'expired',
  'aborted',
  'impatient',
]);

/** For each row, one that has nothing of it: nobody is told anything, nothing is remembered, the call ends. */
export function rowMutants(doc: string): Mutant[] {
  return rowsIn(doc).map(({ row, next, weight, rest }) => {
    const isNothing = next === 'return' && weight === 'none' && rest === '';
    return {
      row,
      change: `the row is taken out${isNothing ? '; it is a fault of the host' : ''}`,
      statement: assign(row, isNothing ? HOST_FAULT : NOTHING),
    };
  });
}

/** For each row, one for each of its cells. */
export function partMutants(doc: string): Mutant[] {
  return rowsIn(doc).flatMap(({ row, about, next, weight, rest }) => {
    const changes: Record<string, string | undefined>[] = [{ weight: weight === 'none' ? 'fault' : 'none' }];
    if (!OVER.has(row)) changes.push({ next: next === 'return' ? 'next target' : 'return' });
    if (rest !== '') changes.push({ rest: undefined });
    if (about.includes('several targets')) changes.push({ mayBeRequest: undefined });
    if (about.includes('one request after the other')) changes.push({ mayBeHost: undefined });
    return changes.map((change) => ({
      row,
      change: Object.entries(change)
        .map(([cell, value]) => `${cell} is ${value ?? 'left out'}`)
        .join(),
      statement: assign(row, change),
    }));
  });
}

function assign(row: string, cells: object): string {
  const values = Object.entries(cells).map(([cell, value]) => `${cell}: ${JSON.stringify(value)}`);
  const kept = Object.hasOwn(cells, 'about') ? `seen: ''` : `...EVIDENCE.${row}`;
  return `Object.assign(EVIDENCE, { ${row}: { ${[kept, ...values].join(', ')} } });\n`;
}

function rowsIn(doc: string): DocRow[] {
  const table = doc.slice(doc.indexOf('<!-- evidence:begin -->'), doc.indexOf('<!-- evidence:end -->'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) => {
    const [name = '', , about = '', next = '', weight = '', rest = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return { row: name.replaceAll('`', ''), about, next, weight, rest };
  });
}
