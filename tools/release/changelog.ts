/** Reads and cuts CHANGELOG.md, which follows Keep a Changelog. */
const HEADING = /^## (.+)$/;
const VERSION = /^\d+\.\d+\.\d+$/;

/** The lines below the heading of a section, without blank lines around them. @throws Error where it is missing or empty. */
export function notesOf(changelog: string, section: string): string {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => HEADING.exec(line)?.[1]?.split(' - ')[0] === section);
  if (start < 0) throw new Error(`CHANGELOG.md has no section "${section}"`);
  const length = lines.slice(start + 1).findIndex((line) => HEADING.test(line));
  const end = length < 0 ? lines.length : start + 1 + length;
  const notes = lines
    .slice(start + 1, end)
    .join('\n')
    .trim();
  if (notes === '') throw new Error(`the section "${section}" of CHANGELOG.md is empty`);
  return notes;
}

/** Turns `Unreleased` into a version with its date and opens a new, empty `Unreleased` above it. @throws Error */
export function cutRelease(changelog: string, version: string, date: string): string {
  if (!VERSION.test(version)) throw new Error(`"${version}" is no version such as 1.2.3`);
  if (changelog.includes(`\n## ${version} - `))
    throw new Error(`CHANGELOG.md already has a section ${version}`);
  notesOf(changelog, 'Unreleased');
  return changelog.replace('\n## Unreleased\n', `\n## Unreleased\n\n## ${version} - ${date}\n`);
}
