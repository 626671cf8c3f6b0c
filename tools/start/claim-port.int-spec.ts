import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import { listen } from '@morgan/testing';
import { claimPort } from './claim-port.ts';

describe('claimPort', () => {
  const host = '127.0.0.1';
  const variable = 'EMBEDDING_PORT';

  it('returns a free port, and leaves it free', async () => {
    const free = await claimPort({ host, port: 0, variable });
    expect(free).toBeGreaterThan(0);
    await expect(claimPort({ host, port: free, variable })).resolves.toBe(free);
  });

  it('names a port in use and the variable that changes it', async () => {
    await using taken = await listen(createServer());
    const { port } = taken;
    await expect(claimPort({ host, port, variable })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use; choose another one with EMBEDDING_PORT.`,
    );
  });

  it('names an address that is not of this machine', async () => {
    await expect(claimPort({ host: '192.0.2.1', port: 0, variable })).rejects.toThrow(
      'This machine has no address 192.0.2.1; choose another one with HOST.',
    );
  });
});
