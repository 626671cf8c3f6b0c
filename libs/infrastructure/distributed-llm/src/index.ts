export { distributedLlmConfig, type DistributedLlmConfig } from './distributed-llm.config.ts';
export { DistributedLlmClient } from './distributed-llm.client.ts';
export type { DistributedLlmOptions, HostRequest, HostResponse } from './distributed-llm.client.ts';
export type { HostStatus, ModelObject, Reachability } from './host.ts';
export type { LlmHost } from './host-list.ts';
export { HostMetrics } from './host-metrics.ts';
