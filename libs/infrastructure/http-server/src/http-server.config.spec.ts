import { describe, expect, it } from '@jest/globals';
import { httpConfig } from './http-server.config.ts';

const schema = httpConfig({ port: 0, bodyLimitBytes: 2_048, maxBodyBytes: 65_536 });

describe('an origin', () => {
  it.each(['*', 'https://app.example', 'http://localhost:3000', 'http://[::1]:8080'])(
    'may be %s',
    (origin) => {
      expect(schema.safeParse({ corsOrigins: [origin] }).error).toBeUndefined();
    },
  );

  it.each([
    'https://app.example/',
    'https://app.example/path',
    'https://*.app.example',
    'https://app.example:443',
    'HTTPS://app.example',
    'app.example',
    'null',
    'file://',
  ])('may not be %s, which no browser ever sends', (origin) => {
    expect(schema.safeParse({ corsOrigins: [origin] }).error?.issues).toEqual([
      expect.objectContaining({ path: ['corsOrigins', 0] }),
    ]);
  });
});
