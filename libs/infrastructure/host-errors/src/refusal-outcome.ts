import type { ReportedError } from './reported-error.ts';
import { HostWords } from './host-words.ts';
import * as words from './refusal-words.ts';

/** What a host's response with an error status, or an error that stands for one, is about. */
export type RefusalOutcome =
  | 'malformed_request'
  | 'context_too_long'
  | 'policy_refusal'
  | 'unsupported_by_model'
  | 'conflict'
  | 'model_not_found'
  | 'path_not_found'
  | 'credentials_rejected'
  | 'quota_exhausted'
  | 'rate_limited'
  | 'overloaded'
  | 'loading'
  | 'server_error'
  | 'redirect';

/** A host's response that is an error, by its status or by what its body says. */
export interface Refusal {
  readonly status: number;
  readonly error: ReportedError | undefined;
  /** Whether the body is the JSON of an API; a proxy in front of a host answers in HTML or plain text. */
  readonly isJson: boolean;
  /** Whether it says when to come back. */
  readonly saysWhen: boolean;
  /** The body of the request, which the host may quote, or which goes on with what a host keeps. */
  readonly request?: Buffer | undefined;
}

/** What is wrong with the request wherever it is sent: its form, its length, its headers. */
const OF_REQUESTS: ReadonlySet<number> = new Set([
  400, 406, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431,
]);
/** Those of them, and others, that hosts have for everything that is not their own fault: their words are read. */
const OF_ANYTHING: ReadonlySet<number> = new Set([400, 412, 422]);

/**
 * The status that an error object inside a 200 stands for; nothing where neither its code nor its words say.
 * @param request the body that was sent, which the host may quote
 */
export function statusWithin(error: ReportedError, request?: Buffer): number | undefined {
  const said = new HostWords(error, request);
  if (error.status === 400 && said.say(words.BROKEN_ENGINE)) return 500;
  if (error.status !== undefined) return error.status;
  if (isTooLong(said) || said.say(words.POLICY)) return 400;
  if (said.say(words.KEY)) return 401;
  if (said.say(words.SPENT)) return 402;
  if (said.say(words.NO_MODEL_ACCESS)) return 403;
  if (said.say(words.OVERLOADED)) return 529;
  if (said.say(words.THROTTLED)) return 429;
  if (said.say(words.QUOTA_EXCEEDED)) return 402;
  if (said.say(words.LOADING) || (said.say(words.MODEL) && said.say(words.PASSING))) return 503;
  const isMissing = [words.MODEL, words.UNLOADABLE, words.UNKNOWN_ENDPOINT].some((each) => said.say(each));
  return isMissing ? 404 : undefined;
}

/** What an error in the middle of an answer says of the request; nothing where it says something of the host. */
export function refusalOfInput(error: ReportedError): RefusalOutcome | undefined {
  const status = statusWithin(error);
  if (status === undefined) return undefined;
  const outcome = outcomeOfRefusal({ status, error, isJson: true, saysWhen: false });
  return outcome === 'policy_refusal' || outcome === 'context_too_long' ? outcome : undefined;
}

/** What a 400 may be about that is no fault of the request, though it passes no other judgement on the host either. */
const NOT_OF_REQUESTS = [
  words.NOT_HERE,
  words.MADE_ELSEWHERE,
  words.THOUGHT_MISSED,
  words.BADLY_WRITTEN,
  words.TEMPLATE_REFUSES,
  words.BEHIND_FAILED,
];

/** Statuses that a router hands on as a fault of its own, and those that one takes for the caller's. */
const BEHIND_5XX: ReadonlySet<number | undefined> = new Set([401, 402, 403, 404, 429]);
const BEHIND_400: ReadonlySet<number | undefined> = new Set([502, 503, 504, 529]);

/** Sorts a response with an error status, by its status and by its words. */
export function outcomeOfRefusal(refusal: Refusal): RefusalOutcome {
  const { status, error } = refusal;
  const isOther = (status === 400 ? BEHIND_400 : status >= 500 ? BEHIND_5XX : undefined)?.has(error?.status);
  return outcomeOfStatus(isOther ? { ...refusal, status: error?.status ?? status } : refusal);
}

function outcomeOfStatus(refusal: Refusal): RefusalOutcome {
  const { status, error } = refusal;
  if (status >= 300 && status < 400) return 'redirect';
  const said = new HostWords(error);
  if (status >= 500 || isServerError(refusal)) return outcomeOf5xx(refusal, said);
  switch (status) {
    case 401:
    case 403:
    case 407:
      return outcomeOfLockout(refusal, said);
    case 402:
      return said.say(words.ABOVE_LIMIT) ? 'conflict' : 'quota_exhausted';
    case 404:
    case 410:
      return outcomeOf404(refusal, said);
    case 405:
      return 'path_not_found';
    case 409:
    case 421:
    case 423:
    case 424:
    case 425:
      return said.say(words.POLICY) ? 'policy_refusal' : 'conflict';
    case 429:
      return outcomeOf429(refusal, said);
    case 498:
      return error && !said.say(words.OVERLOADED) ? 'conflict' : 'overloaded';
    default:
      return outcomeOf400(refusal);
  }
}

/** Tokens are limited per minute as well. */
function isTooLong(said: HostWords): boolean {
  if (!said.say(words.CONTEXT) || said.say(words.DEADLINE) || said.say(words.PER_TIME)) return false;
  return said.name(words.CONTEXT) || !said.say(words.ANSWER_LENGTH);
}

/** 499: the host takes us for gone. 426: it, or what is before it, speaks another HTTP. */
function isServerError({ status, error, request }: Refusal): boolean {
  if (status === 400) return new HostWords(error, request).say(words.BROKEN_ENGINE);
  if (status === 424)
    return (
      words.FAILED_INFERENCE.test(error?.type ?? '') || new HostWords(error).say(words.MODEL_SERVER_ERROR)
    );
  return status === 408 || status === 426 || status === 499;
}

/** A page or a number instead of words is a firewall's, which looks at what is in the request as well as where it is from. */
function outcomeOfLockout({ status, error, isJson }: Refusal, said: HostWords): RefusalOutcome {
  const isFirewall = !isJson && (!error || words.FIREWALL_NUMBER.test(error.message));
  if (status === 403 && isFirewall) return 'server_error';
  if (said.name(/model_access_denied|^invalid_model$/m)) return 'model_not_found';
  if (status !== 403) return said.say(words.SPENT) ? 'quota_exhausted' : 'credentials_rejected';
  if (said.say(words.AWS_NO_ROUTE)) return 'path_not_found';
  if (isTooLong(said)) return 'context_too_long';
  if (said.say(words.NO_MODEL_ACCESS)) return 'model_not_found';
  if (said.say(words.SPENT)) return 'quota_exhausted';
  if (said.say(words.POLICY)) return 'policy_refusal';
  if (said.say(words.MODEL_ACCESS) || said.say(words.MODEL)) return 'model_not_found';
  if (said.say(words.THROTTLED)) return 'rate_limited';
  return said.say(words.QUOTA_EXCEEDED) ? 'quota_exhausted' : 'credentials_rejected';
}

/** What is used up for good has no time at which to come back, whatever words a host has for its limits per minute. */
function outcomeOf429({ saysWhen }: Refusal, said: HostWords): RefusalOutcome {
  if (said.say(words.ABOVE_LIMIT)) return 'conflict';
  if (said.say(words.SHORT_LIMITS)) return 'rate_limited';
  if (said.say(words.USED_UP)) return 'quota_exhausted';
  return !saysWhen && (said.say(words.SPENT) || said.say(words.QUOTA)) ? 'quota_exhausted' : 'rate_limited';
}

/**
 * Some hosts have 400 for everything that is not their own fault. What is no JSON is of a proxy in front of one host, whose
 * limits are not those of the next; a status that nobody knows is one host's own, too.
 */
function outcomeOf400({ status, isJson, error, request }: Refusal): RefusalOutcome {
  const said = new HostWords(error, request);
  const isRequest = OF_REQUESTS.has(status);
  const isCallers = isJson && isRequest && !said.name(words.HOST_FAULT_NAME);
  const other = isCallers ? 'malformed_request' : 'conflict';
  if (status === 413 && said.say(words.ABOVE_LIMIT)) return 'conflict';
  if (isTooLong(said) && (status === 400 || status === 413 || status === 422)) return 'context_too_long';
  if (said.say(words.POLICY)) return 'policy_refusal';
  if (said.say(words.NO_SUCH_PATH)) return 'path_not_found';
  if (NOT_OF_REQUESTS.some((each) => said.say(each))) return 'conflict';
  if (isRequest && !OF_ANYTHING.has(status)) return other;
  if (said.say(words.KEY)) return 'credentials_rejected';
  if (said.say(words.SPENT)) return 'quota_exhausted';
  if (said.say(words.THROTTLED)) return 'rate_limited';
  if (said.say(words.QUOTA_EXCEEDED)) return 'quota_exhausted';
  if (said.say(words.OVERLOADED)) return 'overloaded';
  if (isModelMissing(said)) return 'model_not_found';
  return isCallers && isForAnotherModel(said) ? 'unsupported_by_model' : other;
}

/** Where tokens are too many that is about the answer then: what is about the prompt has been told apart. */
function isForAnotherModel(said: HostWords): boolean {
  return said.say(words.UNSUPPORTED) || (said.say(words.CONTEXT) && said.say(words.ANSWER_LENGTH));
}

function isModelMissing(said: HostWords): boolean {
  if ([words.UNLOADABLE, words.MODEL_LOADING, words.NO_MODEL_ACCESS].some((each) => said.say(each)))
    return true;
  return said.say(words.MODEL) && !said.say(words.MODEL_FEATURE);
}

/**
 * The API of a host names what it misses. A bare 404 is that of a router or a proxy: it does not know the path. What a
 * request refers to may be missing, but is not gone for good.
 */
function outcomeOf404({ status, isJson, error, request }: Refusal, said: HostWords): RefusalOutcome {
  if (said.say(words.OTHER_ENDPOINT) || said.say(words.NOT_HERE)) return 'conflict';
  if (said.say(words.MODEL) || said.say(words.UNLOADABLE)) return 'model_not_found';
  // Whoever has made a response knows the path: it is the response that is not there any more.
  if (isJson && goesOn(request)) return 'malformed_request';
  if (said.say(words.MADE_ELSEWHERE)) return 'conflict';
  if (!isJson || !error) return 'path_not_found';
  if (said.say(words.NAMES_MODEL)) return 'model_not_found';
  const isPath =
    status === 410 ||
    said.name(words.NO_ROUTE_NAME) ||
    words.NO_ROUTE.test(error.message) ||
    words.UNKNOWN_ENDPOINT.test(error.message);
  if (isPath) return 'path_not_found';
  return words.REFERRED.test(error.message) ? 'malformed_request' : 'conflict';
}

/** Whether a request goes on with a response that is kept. */
function goesOn(request: Buffer | undefined): boolean {
  return (
    request !== undefined && request.includes(words.KEPT_FIELD) && words.GOES_ON.test(request.toString())
  );
}

function outcomeOf5xx({ status, saysWhen }: Refusal, said: HostWords): RefusalOutcome {
  if (status === 501 || said.say(words.NO_SUCH_PATH)) return 'path_not_found';
  if (isTooLong(said)) return 'context_too_long';
  if (said.name(words.POLICY_NAME)) return 'policy_refusal';
  if (said.say(status === 503 ? words.LOADING : words.MODEL_LOADING)) return 'loading';
  if (said.name(words.MODEL_NAME) || said.say(words.UNLOADABLE)) return 'model_not_found';
  if (said.name(words.SPENT_NAME)) return 'quota_exhausted';
  if (status === 529 || said.say(words.OVERLOADED) || (status === 503 && saysWhen)) return 'overloaded';
  if (said.say(words.THROTTLED)) return 'rate_limited';
  return said.say(words.NOT_HERE) || said.say(words.TEMPLATE_REFUSES) ? 'conflict' : 'server_error';
}
