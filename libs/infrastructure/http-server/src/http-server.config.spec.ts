import { describe, expect, it } from '@jest/globals';
import { httpConfig } from './http-server.config.ts';

const schema = httpConfig({ port: 0, bodyLimitBytes: 2_048, maxBodyBytes: 65_536 });

describe('an origin', () => {
  it.each([
    '*',
    'https://app.example',
    'http://localhost:3000',
    'http://[::1]:8080',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0b1c2d3e-0000-4000-8000-000000000000',
    'app://obsidian.md',
    'tauri://localhost',
  ])('may be %s', (origin) => {
    expect(schema.safeParse({ corsOrigins: [origin] }).error).toBeUndefined();
  });

  it.each([
    'https://app.example/',
    'https://app.example/path',
    'https://*.app.example',
    'https://app.example:443',
    'HTTPS://app.example',
    'app.example',
    'null',
    'file://',
    'chrome-extension://*',
    'chrome-extension://abc/',
    'app://obsidian.md/*',
    'chrome-extension:abc',
  ])('may not be %s, which no browser ever sends', (origin) => {
    expect(schema.safeParse({ corsOrigins: [origin] }).error?.issues).toEqual([
      expect.objectContaining({ path: ['corsOrigins', 0] }),
    ]);
  });
});
