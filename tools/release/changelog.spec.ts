import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cutRelease, notesOf } from './changelog.ts';

const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n### Added\n\n- This.\n\n## 0.1.0 - 2026-01-02\n\n- First.\n';

describe('notesOf', () => {
  it.each([
    ['Unreleased', '### Added\n\n- This.'],
    ['0.1.0', '- First.'],
  ])('gives the lines of %s alone', (section, notes) => {
    expect(notesOf(CHANGELOG, section)).toBe(notes);
  });

  it.each([
    ['9.9.9', CHANGELOG, 'CHANGELOG.md has no section "9.9.9"'],
    ['Unreleased', '# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-02\n\n- First.\n', 'is empty'],
  ])('refuses %s where there is nothing to tell', (section, changelog, message) => {
    expect(() => notesOf(changelog, section)).toThrow(message);
  });
});

describe('cutRelease', () => {
  it('dates what was unreleased and leaves an empty section above it', () => {
    const cut = cutRelease(CHANGELOG, '0.2.0', '2026-02-03');
    expect(notesOf(cut, '0.2.0')).toBe('### Added\n\n- This.');
    expect(cut).toContain('## Unreleased\n\n## 0.2.0 - 2026-02-03\n');
    expect(() => cutRelease(cut, '0.3.0', '2026-02-04')).toThrow('is empty');
  });

  it.each([
    ['v0.2', '"v0.2" is no version'],
    ['0.1.0', 'already has a section 0.1.0'],
  ])('refuses the version %s', (version, message) => {
    expect(() => cutRelease(CHANGELOG, version, '2026-02-03')).toThrow(message);
  });

  it('can cut the changelog of this repository', () => {
    const changelog = readFileSync(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8');
    expect(cutRelease(changelog, '99.0.0', '2099-01-01')).toContain('## 99.0.0 - 2099-01-01');
  });
});
