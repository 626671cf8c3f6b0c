import type { ReportedError } from '../dialects/reported-error.ts';
import type { Outcome } from './outcome.ts';

/** A host's response that is an error, by its status or by what its body says. */
export interface Refusal {
  readonly status: number;
  readonly error: ReportedError | undefined;
  /** Whether the body is the JSON of an API; a proxy in front of a host answers in HTML or plain text. */
  readonly isJson: boolean;
  /** Whether it says when to come back. */
  readonly saysWhen: boolean;
}

const CONTEXT =
  /context.?(length|window|size)|maximum.{0,20}context|(prompt|input) is too (long|large)|longer than the maximum|too many (input |prompt )?tokens|tokens.{0,40}exceed|exceed.{0,40}(context|tokens|token limit)|max_new_tokens\W+must be|string_above_max_length|tokens_limit_reached/i;
const POLICY =
  /content.?(policy|filter|management)|content_policy_violation|moderation|flagged|safety.?(system|filter|polic|check)|responsible.?ai|usage (polic|guideline)|data_inspection|inappropriate content|sensitive (content|information|words?)|prohibited content/i;
const MODEL =
  /model_?not_?(found|available|supported)|(models?|lora|adapter|deployment|engine)\b.{0,300}\b(not (been )?(found|exist|loaded|available|supported|served|deployed)|unknown|does not exist|doesn't exist|no longer|unavailable|pull)|(unknown|invalid|unsupported|no such|missing|could not find|cannot find|not a valid)( \w+){0,2} ?(model|lora|adapter|deployment)|model (identifier|id|name)\b.{0,40}\b(invalid|unknown)|on-demand throughput|model\b.{0,40}\bunloaded/is;
/** It cannot be had here, whatever status that is said with: not loaded, not to be loaded, nobody behind a router who has it. */
const UNLOADABLE =
  /no models? (is |are )?(currently )?loaded|(failed|unable|not|cannot) (to )?load( the)? model|model failed to load|model requires more (system )?memory|no (available |healthy )?(channel|deployment|provider|endpoint|worker|instance)s?\b.{0,40}\bmodels?\b|no available model\b/i;
/** It is there and only not for us, whatever else the key may be good for. */
const MODEL_ACCESS =
  /model_access_denied|(access|allowed|permission)\b.{0,30}\bmodels?\b|\bmodels?\b.{0,60}\b(access|blocked|not allowed|permission)/is;
/** What a model cannot do, which says nothing of the model's being there. */
const MODEL_FEATURE =
  /\b(parameters?|tools?|tool use|function call(s|ing)?|images?|streaming|json_schema|logprobs|temperature)\b.{0,60}\bnot supported/is;
/** What this host was not set up for, or is not allowed: it names a flag of its own program, or an account that is not verified. */
const NOT_HERE =
  /\b(requires?|with|set|enable|pass|provide|use|specify)\b[^.]{0,60}[\s`'"(]--[a-z][a-z-]+|provide the mmproj|organization must be verified|does not work with the specified model/i;
/** Hosts answer 404 as well for a model that is there and that another of their paths serves. */
const OTHER_ENDPOINT =
  /\bv1\/(responses|(chat\/)?completions|embeddings)\b|no endpoints found (that|matching)/i;
const NO_ROUTE =
  /^\W*((http|error|404|410|file|page|resource)\W+)*(not found|404|410|gone)\W*$|\b(url|route|path|endpoint|static resource)\b|\bcannot (get|post|delete)\b/i;
/** One answers so with a 200. */
const UNKNOWN_ENDPOINT = /unexpected endpoint|(unknown|no such|unsupported) (url|route|path|endpoint)/i;
/** What a 404 of the API itself is about, where its words are not among those above. */
const NAMES_MODEL =
  /\b(models?|deployment|no endpoints found for|not found for account|function\b.{0,80}\bnot found)\b/i;
const KEY =
  /\b(api|access|subscription).?key\b.{0,40}\b(not valid|invalid|incorrect|expired|revoked|disabled|suspended)|\b(invalid|incorrect|expired|revoked) (api|access|subscription).?key|api.?key not found|authorization header\b.{0,60}\binvalid|user location is not supported/is;
const SPENT =
  /insufficient.?(quota|funds|balance|credit)|credit balance|(usage|spending|key) limits?\b|budget.{0,20}exceeded|arrear|overdue|in good standing|enable billing|(account|organization|team).{0,60}(suspended|disabled|deactivated|has been (restricted|banned))|quota.{0,60}exhausted|out of .{0,20}quota|(any|more) credits\b/is;
const QUOTA = /billing|quota exceeded for.{0,40}(plan|billing)/i;
/** A limit that this request alone is above: others fit. */
const ABOVE_LIMIT =
  /request too large\b.{0,200}\b(tokens per|tpm|tpd)\b|\blong context requests?\b|\bcan only afford\b/is;
const PER_TIME = /\bper.(second|minute|min|hour|day)\b|please wait/i;
/** Some say it with a status of their own. */
const THROTTLED =
  /throttl|too many requests|rate.?limited|rate.?limit.{0,20}(reached|exceeded|error|hit)|exceed.{0,40}rate.?limit|too many tokens.{0,20}please wait|exceed.{0,60}\bper.(second|minute|min|hour|day)\b|\bper.(second|minute|min|hour|day)\b.{0,40}exceed/i;
const LOADING =
  /loading|warming.?up|starting up|scaling (up|from)|sleeping|is not ready|not ready yet|still initiali[sz]ing/i;
const OVERLOADED =
  /overloaded|over capacity|at capacity|queue is full|too many (concurrent )?requests|(server|too|system is) busy|pending requests exceeded|reset reason: overflow/i;
const PASSING = /temporar|try again|currently (unavailable|not available)/i;
/** 424 of inference servers is about their model; elsewhere it is about something that the request refers to. */
const FAILED_INFERENCE = /^(generation|incomplete_generation|backend)$/i;

/** What is wrong stands at the beginning of a message; the rest may be the request, or a page. */
const LONGEST_MESSAGE = 4_096;

/** The status that an error object inside a 200 stands for; nothing where neither its code nor its words say. */
export function statusWithin(error: ReportedError): number | undefined {
  if (error.status !== undefined) return error.status;
  const said = wordsOf(error);
  if (isTooLong(said) || POLICY.test(said)) return 400;
  if (KEY.test(said)) return 401;
  if (SPENT.test(said)) return 402;
  if (OVERLOADED.test(said)) return 529;
  if (THROTTLED.test(said)) return 429;
  if (LOADING.test(said) || (MODEL.test(said) && PASSING.test(said))) return 503;
  return MODEL.test(said) || UNLOADABLE.test(said) || UNKNOWN_ENDPOINT.test(said) ? 404 : undefined;
}

/** What an error in the middle of an answer says of the request; nothing where it says something of the host. */
export function refusalOfInput(error: ReportedError): Outcome | undefined {
  const status = statusWithin(error);
  if (status === undefined) return undefined;
  const outcome = outcomeOfRefusal({ status, error, isJson: true, saysWhen: false });
  return outcome === 'policy_refusal' || outcome === 'context_too_long' ? outcome : undefined;
}

/** Sorts a response with an error status, by its status and by its words. */
export function outcomeOfRefusal(refusal: Refusal): Outcome {
  const { status, error } = refusal;
  if (status >= 300 && status < 400) return 'redirect';
  const said = wordsOf(error);
  if (status >= 500 || isServerError(refusal)) return outcomeOf5xx(refusal, said);
  switch (status) {
    case 401:
    case 403:
    case 407:
      return outcomeOfLockout(refusal, said);
    case 402:
      return ABOVE_LIMIT.test(said) ? 'conflict' : 'quota_exhausted';
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
      return 'conflict';
    case 429:
      return outcomeOf429(refusal, said);
    case 498:
      return 'overloaded';
    default:
      return outcomeOf400(refusal, said);
  }
}

/** One line each, as nothing that is looked for goes from one over to the next. */
function wordsOf(error: ReportedError | undefined): string {
  if (!error) return '';
  const { code = '', type = '', message } = error;
  return `${code}\n${type}\n${message.slice(0, LONGEST_MESSAGE)}`;
}

/** Programs in Go have a context of another kind, which has a deadline; and tokens are limited per minute as well. */
function isTooLong(said: string): boolean {
  return CONTEXT.test(said) && !/deadline|timeout/i.test(said) && !PER_TIME.test(said);
}

/** 499: the host takes us for gone. 426: it, or what is before it, speaks another HTTP. */
function isServerError({ status, error }: Refusal): boolean {
  if (status === 424) return FAILED_INFERENCE.test(error?.type ?? '');
  return status === 408 || status === 426 || status === 499;
}

/** A page instead of words is a firewall's, which looks at what is in the request as well as where it is from. */
function outcomeOfLockout({ status, error, isJson }: Refusal, said: string): Outcome {
  if (status === 403 && !error && !isJson) return 'server_error';
  if (status === 403 && SPENT.test(said)) return 'quota_exhausted';
  if (status === 403 && POLICY.test(said)) return 'policy_refusal';
  if (status === 403 && (MODEL_ACCESS.test(said) || MODEL.test(said))) return 'model_not_found';
  if (/model_access_denied/.test(said)) return 'model_not_found';
  if (status !== 403) return 'credentials_rejected';
  return THROTTLED.test(said) ? 'rate_limited' : 'credentials_rejected';
}

/** What is used up for good has no time at which to come back, whatever words a host has for its limits per minute. */
function outcomeOf429({ saysWhen }: Refusal, said: string): Outcome {
  if (ABOVE_LIMIT.test(said)) return 'conflict';
  if (/insufficient_quota/.test(said)) return 'quota_exhausted';
  return !saysWhen && (SPENT.test(said) || QUOTA.test(said)) ? 'quota_exhausted' : 'rate_limited';
}

/**
 * Some hosts have 400 for everything that is not their own fault. What is no JSON is of a proxy in front of one host, whose
 * limits are not those of the next.
 */
function outcomeOf400({ status, isJson }: Refusal, said: string): Outcome {
  const other = isJson ? 'malformed_request' : 'conflict';
  if (status === 413 && ABOVE_LIMIT.test(said)) return 'conflict';
  if (isTooLong(said) && (status === 400 || status === 413 || status === 422)) return 'context_too_long';
  if (POLICY.test(said)) return 'policy_refusal';
  if (NOT_HERE.test(said)) return 'conflict';
  if (status !== 400 && status !== 412) return other;
  if (KEY.test(said)) return 'credentials_rejected';
  if (SPENT.test(said)) return 'quota_exhausted';
  if (THROTTLED.test(said)) return 'rate_limited';
  const isMissing = UNLOADABLE.test(said) || (MODEL.test(said) && !MODEL_FEATURE.test(said));
  return isMissing ? 'model_not_found' : other;
}

/** The API of a host names what it misses. A bare 404 is that of a router or a proxy: it does not know the path. */
function outcomeOf404({ isJson, error }: Refusal, said: string): Outcome {
  if (OTHER_ENDPOINT.test(said)) return 'conflict';
  if (MODEL.test(said) || UNLOADABLE.test(said)) return 'model_not_found';
  if (!isJson || !error) return 'path_not_found';
  if (NAMES_MODEL.test(said)) return 'model_not_found';
  return NO_ROUTE.test(error.message) || UNKNOWN_ENDPOINT.test(error.message)
    ? 'path_not_found'
    : 'malformed_request';
}

function outcomeOf5xx({ status, saysWhen }: Refusal, said: string): Outcome {
  if (status === 501) return 'path_not_found';
  if (isTooLong(said)) return 'context_too_long';
  if (status === 503 && LOADING.test(said)) return 'loading';
  if (status === 529 || OVERLOADED.test(said) || (status === 503 && saysWhen)) return 'overloaded';
  if (UNLOADABLE.test(said)) return 'model_not_found';
  if (THROTTLED.test(said)) return 'rate_limited';
  return NOT_HERE.test(said) ? 'conflict' : 'server_error';
}
