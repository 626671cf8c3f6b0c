import { mainThreadSeconds, processorSeconds } from './process-time.ts';
import type { RunningService } from './service.ts';

/** What one call cost the service that answered it, and everybody else. */
interface CallCost {
  readonly response: Response;
  /** What the service computed, in all of its processes and threads, until the head of its response: a busy machine changes little of it. */
  readonly seconds: number;
  /** The most that the service's main thread computed while somebody waited for `/livez`. */
  readonly livezSeconds: number;
  /** Growth of the service's main process. */
  readonly grownBytes: number;
}

/** Watches a service from outside and by its own metrics while it answers a call. */
export async function costOf(service: RunningService, call: () => Promise<Response>): Promise<CallCost> {
  const { url, process } = service;
  const pid = process.pid as number;
  const residentBytes = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes ([\d.e+-]+)/m.exec(text)?.[1]);
  };
  const bytesBefore = await residentBytes();
  const isOver = new AbortController();
  const livez = costliestLivez(service, isOver.signal);
  const secondsBefore = await processorSeconds(pid);
  const response = await call();
  const seconds = (await processorSeconds(pid)) - secondsBefore;
  isOver.abort();
  const livezSeconds = await livez;
  const grownBytes = (await residentBytes()) - bytesBefore;
  return { response, seconds, livezSeconds, grownBytes };
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
