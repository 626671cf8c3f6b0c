export { type AskedMessage, askedMessage } from './translation/asked-message.ts';
export { type ChatHabits, habitsShown, USUAL_HABITS } from './translation/to-chat/chat-habits.ts';
export { toChatRequest } from './translation/to-chat/chat-request.ts';
export { MessageEvents } from './translation/to-message/message-events.ts';
export { toMessageResponse } from './translation/to-message/message-response.ts';
export { estimatedTokens } from './translation/token-estimate.ts';
export { countsTokens, dialectOf } from './dialects/dialect-of.ts';
export type { Dialect, StreamTranslator, TokenUsage } from './dialects/dialect.ts';
export { readBody } from './dialects/event-reader.ts';
export { refusesForeignParts, withoutForeignParts } from './translation/foreign-parts.ts';
export { parseExactly } from './json/exact-json.ts';
export { firstByte, lastByte } from './json/json-bytes.ts';
export { isClosed, isOfFirst } from './json/json-text.ts';
export {
  type BodyContent,
  BodyFacts,
  fieldsOf,
  readBodyFacts,
  type RequestNeeds,
  type ValueSpan,
  withValues,
} from './requests/body-facts.ts';
export { PromptEstimate } from './requests/prompt-tokens.ts';
export { ClientStream } from './streams/client-stream.ts';
export { HostStream, type HostStreamOptions } from './streams/host-stream.ts';
export type { ResumeMode } from './streams/resume/attempt-usage.ts';
export {
  continuationRequest,
  type ContinuationStyle,
  prefilledRequest,
} from './streams/resume/continuation-request.ts';
export { SseReader } from './sse/sse-reader.ts';
export { StreamBody } from './streams/stream-body.ts';
export type { StreamLimits } from './streams/stream-clock.ts';
export { StreamFault, type StreamFaultReason } from './sse/stream-fault.ts';
export { type Resumption, type StreamOutcome, StreamRelay } from './streams/stream-relay.ts';
export { type ResponseStream, TranslatedStream } from './streams/translated-stream.ts';
export { toldStream, wholeAsStream, type WholeAsStreamOptions } from './streams/whole-as-stream.ts';
export { bytesOf, type HostResponseBody, WholeBody } from './streams/whole-body.ts';
