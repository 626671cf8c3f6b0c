import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const PAGES = globSync(
  ['*.md', 'docs/*.md', 'tools/*/README.md', '{apps,libs/infrastructure}/*/{,src/**/,fixture/**/}README.md'],
  { cwd: ROOT },
);

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');

/** Where the links of a page lead that stay within the repository. */
function targetsIn(page: string): { file: string; anchor: string | undefined }[] {
  const links = read(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
  return Array.from(links, ([, path = '', anchor]) => ({
    file: path === '' ? page : join(dirname(page), path),
    anchor,
  }));
}

/** As GitHub names the headings of a page. */
function anchorsIn(page: string): string[] {
  return Array.from(read(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the links of the documentation', () => {
  it.each(PAGES)('%s leads to what is there', (page) => {
    const broken = targetsIn(page).filter(
      ({ file, anchor }) =>
        !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsIn(file).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  it('are found', () => {
    expect(PAGES.flatMap(targetsIn).length).toBeGreaterThan(40);
    expect(PAGES.flatMap(targetsIn).filter(({ anchor }) => anchor !== undefined)).not.toEqual([]);
  });
});
