import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../bench/child.ts';

const READY_WITHIN_MS = 600_000;

/**
 * An embedding-service of its own, of what was built, once it is ready to answer.
 * @throws Error when it ends before, or takes too long.
 */
export async function startOwnService(env: NodeJS.ProcessEnv): Promise<Child> {
  const program = ['dist/apps/embedding-service/main.js'];
  const child = await startChild(program, { ...env, PORT: '0', LOG_FORMAT: 'json' });
  try {
    await untilReady(child.origin);
  } catch (error) {
    child[Symbol.dispose]();
    throw error;
  }
  return child;
}

async function untilReady(url: string): Promise<void> {
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await delay(100)) {
    if ((await fetch(new URL('/readyz', url))).ok) return;
  }
  throw new Error('the service does not get ready');
}
