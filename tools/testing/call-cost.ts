/** What one call cost the main process of the service that answered it. */
export interface CallCost {
  readonly response: Response;
  readonly processorSeconds: number;
  /** Growth of its memory. */
  readonly grownBytes: number;
  /** The longest time for which everybody else had to wait. */
  readonly longestHoldSeconds: number;
}

/** Watches a service by its own metrics while it answers a call. @param url its origin. */
export async function costOf(url: string, call: () => Promise<Response>): Promise<CallCost> {
  const look = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const figure = (name: string) => Number(new RegExp(`^${name} ([\\d.e+-]+)`, 'm').exec(text)?.[1]);
    return {
      seconds: figure('process_cpu_seconds_total'),
      bytes: figure('process_resident_memory_bytes'),
      /** Since the last look. */
      longestHold: figure('nodejs_eventloop_lag_max_seconds'),
    };
  };
  const before = await look();
  const response = await call();
  const after = await look();
  return {
    response,
    processorSeconds: after.seconds - before.seconds,
    grownBytes: after.bytes - before.bytes,
    longestHoldSeconds: after.longestHold,
  };
}
