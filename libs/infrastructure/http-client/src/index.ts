export {
  AttemptPolicies,
  type AttemptPoliciesOptions,
  type AttemptPoliciesStatus,
  type AttemptPolicyMetrics,
  type BegunAttempt,
  type AttemptRequest,
  type Availability,
} from './attempt-policies.ts';
export { attemptPoliciesConfig, type AttemptPoliciesConfig } from './attempt-policies.config.ts';
export type { ResponseHead, StreamingResponse, WholeResponse } from './response-head.ts';
export { forgetTarget } from './forget-target.ts';
export type { CallOptions } from './client-call.ts';
export type { HttpClientStatus } from './client-status.ts';
export {
  HttpClient,
  type CallRequest,
  type HttpClientOptions,
  type HttpClientParts,
  type WholeCallRequest,
} from './http-client.ts';
export { httpClientConfig, type HttpClientSettings } from './http-client.config.ts';
export {
  HttpClientError,
  type HttpErrorCategory,
  type HttpErrorCode,
  statusInWords,
} from './http-client-error.ts';
export { HttpClientMetrics } from './http-client-metrics.ts';
export { HttpClientModule } from './http-client.module.ts';
export { HttpResponse } from './http-response.ts';
