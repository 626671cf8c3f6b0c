/** What one call cost the service that answered it, and everybody else. Times are as long as where nothing else runs. */
export interface CallCost {
  readonly response: Response;
  /** Until the head of its response. */
  readonly seconds: number;
  /** The slowest `/livez` that was asked for meanwhile. */
  readonly livezSeconds: number;
  /** Growth of the service's main process. */
  readonly grownBytes: number;
}

/** Takes 50 ms on a machine that has nothing else to do, and is no slow one. */
const FIXED_WORK_ROUNDS = 40_000_000;
const FIXED_WORK_SECONDS = 0.05;

/** Watches a service from outside and by its own metrics while it answers a call. @param url its origin. */
export async function costOf(url: string, call: () => Promise<Response>): Promise<CallCost> {
  const residentBytes = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes ([\d.e+-]+)/m.exec(text)?.[1]);
  };
  const slownessBefore = slowness();
  const bytesBefore = await residentBytes();
  const isOver = new AbortController();
  const livez = slowestOf(`${url}/livez`, isOver.signal);
  const startedAt = performance.now();
  const response = await call();
  const seconds = secondsSince(startedAt);
  isOver.abort();
  const livezSeconds = await livez;
  const grownBytes = (await residentBytes()) - bytesBefore;
  const factor = Math.max(slownessBefore, slowness());
  return { response, seconds: seconds / factor, livezSeconds: livezSeconds / factor, grownBytes };
}

/** Asks again and again until the signal aborts, and once at least. @returns how long the slowest took, in seconds. */
async function slowestOf(url: string, signal: AbortSignal): Promise<number> {
  let slowest = 0;
  do {
    const startedAt = performance.now();
    await (await fetch(url)).text();
    slowest = Math.max(slowest, secondsSince(startedAt));
  } while (!signal.aborted);
  return slowest;
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
