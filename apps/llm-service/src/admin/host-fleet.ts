import type { DistributedLlmClient, HostStatus } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';

/** The two clients as one: every host by its name. */
export class HostFleet {
  constructor(
    private readonly llm: DistributedLlmClient,
    private readonly embedding: DistributedLlmClient,
  ) {}

  list() {
    return [...this.llm.getStatus().hosts, ...this.embedding.getStatus().hosts].map(withTimes);
  }

  /** @throws AppError `host_not_found` */
  one(name: string) {
    return withTimes(this.clientOf(name).getMetrics()[name] as HostStatus);
  }

  /** The client that a host belongs to. @throws AppError `host_not_found` */
  clientOf(name: string): DistributedLlmClient {
    const found = [this.llm, this.embedding].find((client) => Object.hasOwn(client.getMetrics(), name));
    if (!found)
      throw new AppError('host_not_found', 'No host of this name is configured.', { param: 'name' });
    return found;
  }
}

/** With the time of day at which each rest ends: that is what log lines and other people have. */
function withTimes({ rests, ...status }: HostStatus) {
  const until = (ms: number) => new Date(Date.now() + ms).toISOString();
  return { ...status, rests: rests.map((rest) => ({ ...rest, until: until(rest.remainingMs) })) };
}
