import { mainThreadSeconds } from './process-time.ts';
import type { RunningService } from './service.ts';

/** What one call cost the service that answered it, and everybody else. */
export interface CallCost {
  readonly response: Response;
  /** Until the head of its response, as long as where nothing else runs. */
  readonly seconds: number;
  /** The most that the service's main thread computed while somebody waited for `/livez`. */
  readonly livezSeconds: number;
  /** Growth of the service's main process. */
  readonly grownBytes: number;
}

/** Takes 50 ms on a machine that has nothing else to do, and is no slow one. */
const FIXED_WORK_ROUNDS = 40_000_000;
const FIXED_WORK_SECONDS = 0.05;

/** Watches a service from outside and by its own metrics while it answers a call. */
export async function costOf(service: RunningService, call: () => Promise<Response>): Promise<CallCost> {
  const { url } = service;
  const residentBytes = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes ([\d.e+-]+)/m.exec(text)?.[1]);
  };
  const slownessBefore = slowness();
  const bytesBefore = await residentBytes();
  const isOver = new AbortController();
  const livez = costliestLivez(service, isOver.signal);
  const startedAt = performance.now();
  const response = await call();
  const seconds = secondsSince(startedAt);
  isOver.abort();
  const livezSeconds = await livez;
  const grownBytes = (await residentBytes()) - bytesBefore;
  const factor = Math.max(slownessBefore, slowness());
  return { response, seconds: seconds / factor, livezSeconds, grownBytes };
}

/** Asks again and again until the signal aborts, and once at least. */
async function costliestLivez({ url, process }: RunningService, signal: AbortSignal): Promise<number> {
  const pid = process.pid as number;
  let most = 0;
  do {
    const before = await mainThreadSeconds(pid);
    await (await fetch(`${url}/livez`)).text();
    most = Math.max(most, (await mainThreadSeconds(pid)) - before);
  } while (!signal.aborted);
  return most;
}

/** How much longer than where nothing else runs a piece of work takes here and now: 1 or more. */
function slowness(): number {
  const startedAt = performance.now();
  let state = 0;
  for (let round = 0; round < FIXED_WORK_ROUNDS; round += 1) state = Math.imul(state ^ round, 0x6d2b79f5);
  // Used, or the work could be left out.
  return Math.max(1, secondsSince(startedAt) / FIXED_WORK_SECONDS + (state & 0));
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1_000;
