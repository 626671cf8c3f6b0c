export { contextLimitIn } from './context-limit.ts';
export { askedRestMs } from './asked-rest.ts';
export { type ErrorBody, errorOf, readErrorBody } from './error-body.ts';
export { isHttpStatus } from './error-status.ts';
export { HostWords } from './host-words.ts';
export { ownWordsIn } from './own-words.ts';
export {
  outcomeOfRefusal,
  type Refusal,
  refusalOfInput,
  type RefusalOutcome,
  statusWithin,
} from './refusal-outcome.ts';
export {
  bareErrorIn,
  BROKEN_OFF,
  codedErrorIn,
  errorIn,
  type ReportedError,
  withTexts,
  wordsIn,
} from './reported-error.ts';
export { THOUGHT_MISSED } from './refusal-words.ts';
export { restTimeMs } from './rest-time.ts';
