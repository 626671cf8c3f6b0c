import { faultOfStatus, isObject } from '@morgan/foundation';
import {
  askedRestMs,
  bareErrorIn,
  type ErrorBody,
  errorIn,
  HostWords,
  outcomeOfRefusal,
  readErrorBody,
  type RefusalOutcome,
  type ReportedError,
  statusWithin,
} from '@morgan/host-errors';
import type { WholeResponse } from '@morgan/http-client';

/**
 * What a refusal of a host is about: the `inputs`, which other hosts of the same model would refuse as well; what every request of
 * this service has (`settings`: key, account, model, path), in which case the host is of no use until somebody mends that; the
 * `values` of a vector, which are no finite numbers; a `limit` or a start that passes; or the `host` alone.
 */
type RefusalSubject = 'inputs' | 'settings' | 'values' | 'limit' | 'host';

/** A response of 400 or above, as it is understood. */
interface RemoteRefusal {
  readonly outcome: RefusalOutcome;
  readonly subject: RefusalSubject;
  /** The word by which the host calls its error, such as `context_length_exceeded`. Its sentences may hold some of the inputs. */
  readonly name: string | undefined;
  /** How long the host asks to wait, in milliseconds. */
  readonly waitMs: number | undefined;
}

/** What the outcomes are about where an embedding is asked for, whose requests differ in their inputs only. */
const SUBJECT_OF: Readonly<Record<RefusalOutcome, RefusalSubject>> = {
  malformed_request: 'inputs',
  context_too_long: 'inputs',
  policy_refusal: 'inputs',
  unsupported_by_model: 'settings',
  model_not_found: 'settings',
  path_not_found: 'settings',
  credentials_rejected: 'settings',
  quota_exhausted: 'settings',
  redirect: 'settings',
  rate_limited: 'limit',
  overloaded: 'limit',
  loading: 'limit',
  conflict: 'host',
  server_error: 'host',
};

/** As many bytes of a body are looked into. */
const MOST_READ = 65_536;
/** What each vector stands behind. */
const VECTOR_KEY = '"embedding"';
const WORD = /^[\w.-]{1,64}$/;
/** Statuses that hosts have for what is wrong with inputs; others are about the form of a request, and ours have one. */
const INPUT_STATUSES: readonly number[] = [400, 413, 422];
/** What a request has besides its inputs, or could have, as hosts name it where they refuse it. */
const OUR_FIELDS: readonly unknown[] = ['model', 'encoding_format', 'input_type', 'dimensions'];
const OUR_WORDS = [
  // A model that has no embeddings, as SGLang, Infinity, Ollama and Azure say it of one that they have named.
  /\b(do(es)?( not|n't) (support|appear to be an) \W?embed|is not an embedding model|embeddings operation does not work)/i,
  // Models with one way to read queries and one to read documents, as NVIDIA and Cohere serve them.
  /^\W*((a|the|valid|invalid|missing|request)\W+)*input_type\b/im,
];
/** What Go's and Python's libraries for JSON say of such a value: that of Ollama, for one, and of hosts on FastAPI. */
const NOT_FINITE = /\bunsupported value: [+-]?(NaN|Inf)|\bout of range float values\b/i;

const understood = new WeakMap<WholeResponse, RemoteRefusal>();

/**
 * What a response of 400 or above says. It is read once: whoever meets it again is told the same.
 * @param request the body that was sent, which the host may quote
 */
export function refusalOf(response: WholeResponse, request?: Buffer): RemoteRefusal {
  const before = understood.get(response);
  if (before) return before;
  const { status, headers } = response;
  const body = readErrorBody(response.body.subarray(0, MOST_READ).toString(), status);
  const { error, isJson } = body;
  const waitMs = askedRestMs(status, headers, error);
  const outcome = outcomeOfRefusal({ status, error, isJson, saysWhen: waitMs !== undefined, request });
  const subject = subjectOf(outcome, status, body, new HostWords(error, request));
  const refusal = { outcome, subject, name: errorNameOf(error), waitMs };
  understood.set(response, refusal);
  return refusal;
}

/** The status that an answer without vectors stands for: some hosts have a 200 for whatever they say. @param sent what it answers, which it may quote */
export function statusWithinBody(response: WholeResponse, sent: unknown): number | undefined {
  if (response.body.length > MOST_READ || response.body.includes(VECTOR_KEY)) return undefined;
  const body = jsonOf(response);
  // Google's errors are the only element of a list.
  const fields: unknown = Array.isArray(body) ? body[0] : body;
  const error = isObject(fields) ? (errorIn(fields) ?? bareErrorIn(fields)) : undefined;
  return error && statusWithin(error, Buffer.from(JSON.stringify(sent)));
}

/** The body of a response, or undefined where it is no JSON. */
export function jsonOf(response: WholeResponse): unknown {
  try {
    return response.json();
  } catch {
    return undefined;
  }
}

/** Whether the client would ask again after a refusal that stays what it is. */
export function isFinal({ subject }: RemoteRefusal, status: number): boolean {
  return subject === 'settings' && faultOfStatus(status).retryable;
}

/** The word by which a host calls an error. */
export function errorNameOf(error: ReportedError | undefined): string | undefined {
  return [error?.code, error?.type].find((word) => word && WORD.test(word) && !/^\d+$/.test(word));
}

function subjectOf(
  outcome: RefusalOutcome,
  status: number,
  body: ErrorBody,
  said: HostWords,
): RefusalSubject {
  if (status >= 500 && said.say(NOT_FINITE)) return 'values';
  // Where all inputs together are too many, or above a limit per minute, fewer of them are not.
  if (status === 413 || (status === 429 && outcome === 'conflict')) return 'inputs';
  if (outcome !== 'malformed_request' && outcome !== 'conflict') return SUBJECT_OF[outcome];
  if (blamesSettings(body) || OUR_WORDS.some((words) => said.say(words))) return 'settings';
  return outcome === 'conflict' || INPUT_STATUSES.includes(status) ? SUBJECT_OF[outcome] : 'settings';
}

function blamesSettings({ error, json }: ErrorBody): boolean {
  return OUR_FIELDS.includes(error?.param) || blamesOtherFields(json?.['detail']);
}

/** FastAPI lists where in a request each fault is, such as `["body", "input", 0]`: one that is elsewhere is in every request. */
function blamesOtherFields(faults: unknown): boolean {
  if (!Array.isArray(faults) || faults.length === 0) return false;
  const places = faults.map((fault) => (fault as { readonly loc?: unknown } | null)?.loc);
  return places.every((place) => Array.isArray(place) && !place.includes('input'));
}
