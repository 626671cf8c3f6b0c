/** What one call cost the service that answered it. */
export interface CallCost {
  readonly response: Response;
  /** Of its main process. */
  readonly processorSeconds: number;
  /** Growth of the memory of its main process. */
  readonly grownBytes: number;
  /** The longest that `/livez` took meanwhile. The probes share the machine with the test. */
  readonly slowestProbeMs: number;
}

/** Watches a service, by its own metrics and its probes, while it answers a call. @param url its origin. */
export async function costOf(url: string, call: () => Promise<Response>): Promise<CallCost> {
  const figure = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} ([\\d.e+]+)`, 'm').exec(text)?.[1]);
  };
  const used = async () => ({
    seconds: await figure('process_cpu_seconds_total'),
    bytes: await figure('process_resident_memory_bytes'),
  });
  const before = await used();
  const work = call();
  const slowestProbeMs = await slowestProbe(url, work);
  const response = await work;
  const after = await used();
  return {
    response,
    slowestProbeMs,
    processorSeconds: after.seconds - before.seconds,
    grownBytes: after.bytes - before.bytes,
  };
}

async function slowestProbe(url: string, work: Promise<unknown>): Promise<number> {
  let [isOver, slowest] = [false, 0];
  void work.finally(() => (isOver = true)).catch(() => undefined);
  while (!isOver) {
    const askedAt = performance.now();
    await (await fetch(`${url}/livez`)).arrayBuffer();
    slowest = Math.max(slowest, performance.now() - askedAt);
  }
  return slowest;
}
