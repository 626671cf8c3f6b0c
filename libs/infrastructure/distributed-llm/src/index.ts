export { distributedLlmConfig, type DistributedLlmConfig } from './client/distributed-llm.config.ts';
export {
  DistributedLlmClient,
  type DistributedLlmOptions,
  type HostRequest,
} from './client/distributed-llm.client.ts';
export { DistributedLlmMetrics } from './client/distributed-llm-metrics.ts';
export type { DistributedLlmStatus } from './client/client-status.ts';
export { HostError } from './client/host-error.ts';
export type { CallOptions, JsonAnswer } from './client/json-call.ts';
export { CONNECTION_SETTINGS, hostTransportOptions } from './client/host-transports.ts';
export type { AnswerBody } from './call/whole-body.ts';
export type { AttemptSummary, HostResponse } from './call/host-response.ts';
export type { RouteExplanation, TargetExplanation } from './routing/explain-route.ts';
export type { LlmHost, LlmHostOptions } from './hosts/host-list.ts';
export type { HostStatus } from './hosts/host.ts';
export type { ModelObject } from './hosts/model-list.ts';
