import { expect, it, jest } from '@jest/globals';
import { residentBytes } from './resident-bytes.ts';

it('is what the process holds, and nothing where the system does not say', () => {
  expect(residentBytes()).toBeGreaterThan(10_000_000);
  const rss = jest.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  });
  expect(residentBytes()).toBeUndefined();
  rss.mockRestore();
});
