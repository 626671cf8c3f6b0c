export { distributedLlmConfig } from './client/distributed-llm.config.ts';
export { DistributedLlmClient, type DistributedLlmOptions } from './client/distributed-llm.client.ts';
export type { HostRequest } from './call/host-request.ts';
export { CALL_HEADERS } from './call/prepare-call.ts';
export { DistributedLlmMetrics } from './client/distributed-llm-metrics.ts';
export type { DistributedLlmStatus } from './client/client-status.ts';
export { HostError } from './client/host-error.ts';
export type { CallOptions, JsonResponse } from './client/json-call.ts';
export { CONNECTION_SETTINGS, hostTransportOptions } from './client/host-transports.ts';
export { RepeatableUpload } from './call/repeatable-upload.ts';
export { type HostResponseBody, WholeBody } from './streams/whole-body.ts';
export { AttemptLog, type AttemptSummary } from './call/attempt-log.ts';
export type { HostResponse } from './call/host-response.ts';
export type { RouteExplanation, TargetExplanation } from './client/explain-route.ts';
export type { LlmHostOptions } from './hosts/host-list.ts';
export type { RouteReading } from './client/route-reading.ts';
export type { Dialect, StreamTranslator, TokenUsage } from './dialects/dialect.ts';
export { dialectOf } from './dialects/dialect-of.ts';
export { readBody } from './dialects/event-reader.ts';
export { parseExactly } from './dialects/exact-json.ts';
export { refusesForeignParts, withoutForeignParts } from './dialects/foreign-parts.ts';
export { type ChatHabits, habitsShown, USUAL_HABITS } from './dialects/anthropic/chat-habits.ts';
export { toChatRequest } from './dialects/anthropic/chat-request.ts';
export { estimatedTokens } from './dialects/anthropic/token-estimate.ts';
export { askedMessage, type AskedMessage } from './dialects/anthropic/asked-message.ts';
export { toMessageResponse } from './dialects/anthropic/message-response.ts';
export { MessageEvents } from './dialects/anthropic/message-events.ts';
export { ClientStream } from './streams/client-stream.ts';
export { toldStream, wholeAsStream, type WholeAsStreamOptions } from './streams/whole-as-stream.ts';
export type { HostStream } from './streams/host-stream.ts';
export { type ResponseStream, TranslatedStream } from './streams/translated-stream.ts';
export { StreamFault } from './streams/stream-fault.ts';
export { type Resumption, type StreamOutcome, StreamRelay } from './streams/stream-relay.ts';
export {
  type ContinuationStyle,
  continuationRequest,
  prefilledRequest,
} from './streams/resume/continuation-request.ts';
export type { HostStatus } from './hosts/host.ts';
export type { ModelObject } from './hosts/model-list.ts';
export {
  type BodyContent,
  BodyFacts,
  fieldsOf,
  readBodyFacts,
  type ValueSpan,
} from './routing/body-facts.ts';
export { PromptEstimate } from './routing/prompt-tokens.ts';
