import { retryAfterMs } from '@morgan/foundation';
import type { WholeResponse } from '@morgan/http-client';
import { saidWaitMs } from './said-wait.ts';

/**
 * What a refusal of a host is about: the `inputs`, which other hosts of the same model would refuse as well; what every request of
 * this service has (`settings`: key, account, model, path), in which case the host is of no use until somebody mends that; the
 * `values` of a vector, which are no finite numbers; a `limit` or a start that passes; or nothing that is known, when the status
 * says all there is.
 */
export type RefusalSubject = 'inputs' | 'settings' | 'values' | 'limit' | 'unknown';

const WORD = /^[\w.-]{1,64}$/;
/** Statuses that are about the inputs unless the host names something else. */
const INPUT_STATUSES: readonly number[] = [400, 413, 422];
/** Client errors that are about nothing but the moment. */
const PASSING_STATUSES: readonly number[] = [408, 425];

/** What a request has besides its inputs, as hosts name it where they refuse it. */
const OUR_FIELDS: readonly unknown[] = [
  'model',
  'model_not_found',
  'model_not_available',
  'unavailable_model',
  'encoding_format',
  'invalid_model',
  'Arrearage',
  'billing_hard_limit_reached',
];
/** The same where a sentence begins with it: inputs that are quoted stand further behind. */
const OUR_WORDS = [
  /^\W*((the|this|your|requested|specified|provided|embeddings?)\W+)*(model|deployment|operation|api.?key)\b(?!'s).{0,120}\b(not (found|supported|valid|exist|available|loaded|accessible)|(do(es)?( not|n't)) (exist|work|support embed)|is invalid|(has )?expired)/i,
  /^\W*(invalid|incorrect|unknown|unsupported|missing|no such)\W+(model|deployment|api.?key)\b/i,
  /^\W*(no models? (is |are )?loaded|failed to load model|model (has |is )?unloaded|unable to access\b.{0,20}\bmodel)\b/i,
  /^\W*(access denied|billing hard limit|your (credit|account)|user location is not supported|api version not supported)\b/i,
  // A model that has no embeddings, as SGLang, Infinity and Ollama say it of one that they have named.
  /^(?!\W*inputs?\b).{0,120}\b(do(es)?( not|n't) (support|appear to be an) \W?embed|is not an embedding model)/i,
  /^.{0,40}模型.{0,40}(不存在|不支持|未开通)/,
  // Models with one way to read queries and one to read documents, as NVIDIA and Cohere serve them.
  /^\W*((a|the|valid|invalid|missing|request)\W+)*input_type\b/i,
];
/** A ban of certain content, which comes with the status of one of keys. */
const POLICY = /flagged|moderation|guardrail|content.?(policy|filter)|safety/i;
/** llama.cpp and Ollama have 500 for a text that is too long. */
const TOO_LONG = /\binput\b.{0,40}\b(too (large|long)|exceeds?)\b|\bcontext (length|window|size)\b/i;
/** What Go's and Python's libraries for JSON say of such a value: that of Ollama, for one, and of hosts on FastAPI. */
const NOT_FINITE = /\bunsupported value: [+-]?(NaN|Inf)|\bout of range float values\b/i;
/** An account that is used up has the status of a limit that passes. */
const SPENT = /insufficient.?(quota|balance|credit|funds)|billing|余额不足|欠费/i;
/** What an account has before it pays is a limit that passes, whatever is said of bills. */
const LIMITED = /\breduced rate limits\b/i;
/** A 503 of a host that will answer later, where no `retry-after` says so. */
const LATER = /\b(loading|starting|warming up|overloaded|busy|queue (is )?full|(at|over) capacity)\b/i;
/** What Xinference and Cloudflare have in front of their sentences. */
const PREFIX = /^(\[address=[^\]]{0,100}\] ?|(AiError: ?)+)/;
/** As much of a sentence as may decide. */
const MOST_READ = 300;

/** What a response of 400 or above is about. */
export function subjectOf(response: WholeResponse): RefusalSubject {
  const { status, headers } = response;
  const said = `${errorNameOf(response) ?? ''} ${sentenceOf(response)}`;
  if (INPUT_STATUSES.includes(status)) return blamesSettings(response) ? 'settings' : 'inputs';
  // Google speaks of plan and billing at every limit, and says when it ends.
  if (status === 429)
    return isSpent(said) && saidWaitMs(errorOf(response)) === undefined ? 'settings' : 'limit';
  if (status === 503 && (headers['retry-after'] !== undefined || LATER.test(said))) return 'limit';
  if (status >= 500 && NOT_FINITE.test(said)) return 'values';
  if (status >= 500) return TOO_LONG.test(said) ? 'inputs' : 'unknown';
  if (PASSING_STATUSES.includes(status)) return 'unknown';
  return status === 403 && POLICY.test(said) ? 'inputs' : 'settings';
}

function isSpent(said: string): boolean {
  return SPENT.test(said) && !LIMITED.test(said);
}

/** How long a host asks to wait, in milliseconds: in its headers, or else in what it says. */
export function askedWaitMs(response: WholeResponse): number | undefined {
  return retryAfterMs(response.headers) ?? saidWaitMs(errorOf(response));
}

/** The word by which a host calls its error, such as `context_length_exceeded`. Its sentences may hold some of the inputs. */
export function errorNameOf(response: WholeResponse | undefined): string | undefined {
  const { code, type, error_type: ofTei, status } = errorOf(response);
  return [code, type, ofTei, status].find(
    (word): word is string => typeof word === 'string' && WORD.test(word) && !/^\d+$/.test(word),
  );
}

function blamesSettings(response: WholeResponse): boolean {
  const { param, code, type, detail } = errorOf(response);
  return (
    [param, code, type].some((word) => OUR_FIELDS.includes(word)) ||
    blamesOtherFields(detail) ||
    OUR_WORDS.some((words) => words.test(sentenceOf(response)))
  );
}

/** FastAPI lists where in a request each fault is, such as `["body", "input", 0]`: one that is elsewhere is in every request. */
function blamesOtherFields(faults: unknown): boolean {
  if (!Array.isArray(faults) || faults.length === 0) return false;
  const places = faults.map((fault) => asRecord(fault)['loc']);
  return places.every((place) => Array.isArray(place) && !place.includes('input'));
}

/** What a host says went wrong. Not to be shown: it may quote inputs. */
function sentenceOf(response: WholeResponse): string {
  const { message, error, detail } = errorOf(response);
  const sentence = [message, error, detail].find((text) => typeof text === 'string');
  return typeof sentence === 'string' ? sentence.slice(0, MOST_READ).replace(PREFIX, '') : '';
}

/** The error object: OpenAI's is within `error`, Google's in a list besides, Cloudflare's in one within; those of others are the body itself. */
function errorOf(response: WholeResponse | undefined): Readonly<Record<string, unknown>> {
  const json = jsonOf(response);
  const body = asRecord(Array.isArray(json) ? json[0] : json);
  const { error, errors } = body;
  const within = typeof error === 'object' ? error : Array.isArray(errors) && (errors[0] as unknown);
  return within ? asRecord(within) : body;
}

/** The body, or undefined where it is no JSON. */
export function jsonOf(response: WholeResponse | undefined): unknown {
  try {
    return response?.json();
  } catch {
    return undefined;
  }
}

/** The fields of an object; none of anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
