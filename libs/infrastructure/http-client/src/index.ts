export {
  AttemptPolicies,
  type AttemptPoliciesStatus,
  type AttemptPolicyMetrics,
  type BegunAttempt,
  type Availability,
} from './attempt-policies.ts';
export { attemptPoliciesConfig } from './attempt-policies.config.ts';
export type { WholeResponse } from './response-head.ts';
export { forgetTarget } from './forget-target.ts';
export { HttpClient, type HttpClientOptions } from './http-client.ts';
export { HttpClientError } from './http-client-error.ts';
export { HttpClientMetrics } from './http-client-metrics.ts';
export { HttpClientModule } from './http-client.module.ts';
export { HttpResponse } from './http-response.ts';
