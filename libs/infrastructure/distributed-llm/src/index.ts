export { distributedLlmConfig, type DistributedLlmConfig } from './distributed-llm.config.ts';
export { DistributedLlmClient } from './distributed-llm.client.ts';
export type {
  DistributedLlmMetrics,
  DistributedLlmOptions,
  DistributedLlmStatus,
  HostRequest,
  HostResponse,
  HostStatus,
} from './distributed-llm.client.ts';
export type { ModelObject } from './host.ts';
export type { LlmHost } from './host-list.ts';
export { HostMetrics } from './host-metrics.ts';
