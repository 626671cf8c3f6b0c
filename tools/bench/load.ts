import { Pool } from 'undici';

/** What is sent again and again. */
interface Load {
  readonly origin: string;
  readonly path: string;
  readonly body: string;
  /** Requests that are always under way. */
  readonly concurrency: number;
  readonly durationMs: number;
}

/** Answered requests per second under a closed loop. @throws Error when a response is not 200 */
export async function requestsPerSecond({
  origin,
  path,
  body,
  concurrency,
  durationMs,
}: Load): Promise<number> {
  await using pool = Object.assign(new Pool(origin, { connections: concurrency }), {
    [Symbol.asyncDispose]: async () => void (await pool.close()),
  });
  const headers = { 'content-type': 'application/json' };
  const startedAt = performance.now();
  let answered = 0;
  const loop = async () => {
    while (performance.now() - startedAt < durationMs) {
      const response = await pool.request({ path, method: 'POST', headers, body });
      await response.body.dump();
      if (response.statusCode !== 200) throw new Error(`${origin}${path} answered ${response.statusCode}`);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return (answered * 1000) / (performance.now() - startedAt);
}
