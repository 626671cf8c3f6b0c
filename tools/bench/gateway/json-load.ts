import { median } from '../bench-row.ts';
import { chatRequest, type Target, WireConnection } from './wire-connection.ts';

const PROMPT = 'Hello, Morgan!';

/** Responses per second to calls that are not streamed, so many of which are always under way. */
export async function jsonPerSecond(
  target: Target,
  concurrency: number,
  durationMs: number,
): Promise<number> {
  const startedAt = performance.now();
  const times = await Promise.all(
    Array.from({ length: concurrency }, () => callsOf(target, startedAt + durationMs)),
  );
  return (times.flat().length * 1_000) / (performance.now() - startedAt);
}

/** How long a call takes that is alone, as a median, in milliseconds. */
export async function jsonAloneMs(target: Target, durationMs: number): Promise<number> {
  return median(await callsOf(target, performance.now() + durationMs));
}

/** How long each call took, one after the other on one connection. */
async function callsOf(target: Target, endsAt: number): Promise<number[]> {
  const connection = await WireConnection.to(target);
  const request = chatRequest(target, PROMPT, false);
  const times: number[] = [];
  for (let begunAt = performance.now(); begunAt < endsAt; begunAt = performance.now()) {
    await connection.send(request);
    times.push(performance.now() - begunAt);
  }
  connection.close();
  return times;
}
