import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

describe('the README', () => {
  it('shows the example that runs', async () => {
    const example = read('example.ts').replace('./src/index.ts', '@morgan/axios-transport');
    expect(read('README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
    await import('../example.ts');
  });

  it('is short', () => {
    expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(60);
  });
});
