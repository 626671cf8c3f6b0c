import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('README.md', () => {
  it('shows the example, in at most 60 lines of its own', () => {
    const readme = text('../README.md');
    const example = text('../fixture/example.ts').replace('../src/index.ts', '@morgan/concurrency');
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(60);
  });

  it('has an example that runs', async () => {
    const { result } = await import('../fixture/example.ts');
    expect(result.succeeded).toBe(12);
    expect(result.status).toMatchObject({ running: 0, waiting: 0, refused: { full: 8 } });
  });
});
