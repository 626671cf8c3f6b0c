import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections, any of which could take a free one before its server does. */
const LOWEST = 10_000;
const HIGHEST = 32_000;

/** A TCP port of 127.0.0.1 that was free a moment ago. Prefer port 0 where the listener can report what it got. */
export async function freePort(): Promise<number> {
  const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
  return (await isFree(port)) ? port : freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}
