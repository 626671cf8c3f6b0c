import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const DIST = join(import.meta.dirname, '../../dist/apps');

describe('the bundles', () => {
  it.each(['llm-service', 'embedding-service'])('of %s take one byte a character in memory', (app) => {
    const files = globSync(`${app}/*.js`, { cwd: DIST });
    expect(files).toContain(join(app, 'main.packages.js'));
    const wide = files.filter((file) => /[^\x00-\xff]/.test(readFileSync(join(DIST, file), 'utf8')));
    expect(wide).toEqual([]);
  });
});
