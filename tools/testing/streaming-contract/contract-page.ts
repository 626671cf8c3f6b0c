/** What a caller can rely on, and the test that shows it: the name of its spec file, and its title or that of its group. */
type Line = readonly [says: string, spec: string, test: string];

/** Lines about one part of a stream, with what has to be said before them. */
export interface Section {
  readonly title: string;
  readonly text?: string;
  readonly lines: readonly Line[];
}

/** A test that passed: its spec, and its titles from the outermost group to its own. */
interface PassedTest {
  readonly spec: string;
  readonly titles: readonly string[];
}

/** The lines, each with the test that shows it, as Markdown. */
export function contractText(sections: readonly Section[]): string {
  return sections
    .map(({ title, text, lines }) => {
      const promises = lines.map(([says, spec, test]) => `- ${says} (_${spec}: ${test}_)`).join('\n');
      return [`## ${title}`, ...(text ? [text] : []), promises].join('\n\n');
    })
    .join('\n\n');
}

/**
 * What a run showed of the lines: a row for each test that they name, how often it passed, and with what.
 * @throws Error when no test with a name that is given has passed.
 */
export function seenTable(sections: readonly Section[], passed: readonly PassedTest[]): string {
  const named = new Map(
    sections.flatMap(({ lines }) => lines.map(([, spec, test]) => [`${spec}: ${test}`, { spec, test }])),
  );
  const rows = [...named].map(([name, { spec, test }]) => {
    const cases = passed.filter((one) => one.spec === spec).flatMap(({ titles }) => caseOf(titles, test));
    if (cases.length === 0) throw new Error(`no test passed that is named "${name}"`);
    const distinct = [...new Set(cases)].filter(Boolean);
    return `| ${escaped(name)} | ${cases.length} | ${distinct.map(escaped).join('; ')} |`;
  });
  return ['| test | passed | with |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What a test is a case of, in a list of one; of a test with a name of its own, the empty text; of any other, nothing. */
function caseOf(titles: readonly string[], name: string): string[] {
  const own = titles.at(-1) ?? '';
  const [before = '', after] = name.split('%s');
  if (after === undefined) return own === name ? [''] : titles.includes(name) ? [own] : [];
  const isCase = own.startsWith(before) && own.endsWith(after) && own.length > before.length + after.length;
  return isCase ? [own.slice(before.length, own.length - after.length)] : [];
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
