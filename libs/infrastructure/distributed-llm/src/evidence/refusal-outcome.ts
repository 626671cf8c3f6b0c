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
  /context.?(length|window|size)|maximum.{0,20}context|prompt is too long|too many (input |prompt )?tokens|tokens.{0,40}exceed|exceed.{0,40}(context|tokens)|string_above_max_length/i;
const POLICY =
  /content.?(policy|filter|management)|content_policy_violation|moderation|flagged|safety (system|filter|polic)|responsible.?ai|usage polic/i;
const MODEL =
  /model_?not_?found|(model|lora|adapter|deployment|engine)\b.{0,300}\b(not (been )?(found|exist|loaded|available|supported|served|deployed)|unknown|does not exist|doesn't exist|no longer|unavailable|pull)|(unknown|invalid|unsupported|no such|missing|could not find|cannot find)( \w+){0,2} ?(model|lora|adapter|deployment)/is;
const NO_ROUTE = /^\W*((file |page |resource )?not found|404)\W*$|\b(url|route|path|endpoint)\b/i;
const QUOTA = /insufficient.?(quota|funds|balance|credit)|billing|quota exceeded for.{0,40}(plan|billing)/i;
const LOADING = /loading|warming.?up|starting up|not ready yet|still initiali[sz]ing/i;
const OVERLOADED = /overloaded|over capacity|at capacity|queue is full|too many (concurrent )?requests/i;

/** The status that an error object inside a 200 stands for; nothing where neither its code nor its words say. */
export function statusWithin(error: ReportedError): number | undefined {
  if (error.status !== undefined) return error.status;
  if (CONTEXT.test(error.message)) return 400;
  if (MODEL.test(error.message)) return 404;
  return OVERLOADED.test(error.message) ? 529 : undefined;
}

/** Sorts a response with an error status, by its status and by its words. */
export function outcomeOfRefusal(refusal: Refusal): Outcome {
  const { status, error } = refusal;
  if (status >= 300 && status < 400) return 'redirect';
  if (status >= 500 || status === 408) return outcomeOf5xx(refusal);
  const said = wordsOf(error);
  switch (status) {
    case 401:
      return 'credentials_rejected';
    case 402:
      return 'quota_exhausted';
    case 403:
      return POLICY.test(said) ? 'policy_refusal' : 'credentials_rejected';
    case 404:
      return outcomeOf404(refusal, said);
    case 405:
      return 'path_not_found';
    case 409:
    case 425:
      return 'conflict';
    case 429:
      return QUOTA.test(said) ? 'quota_exhausted' : 'rate_limited';
    default:
      return outcomeOf400(status, said);
  }
}

function wordsOf(error: ReportedError | undefined): string {
  return error ? `${error.code ?? ''} ${error.type ?? ''} ${error.message}` : '';
}

function outcomeOf400(status: number, said: string): Outcome {
  if (CONTEXT.test(said) && (status === 400 || status === 413 || status === 422)) return 'context_too_long';
  if (POLICY.test(said)) return 'policy_refusal';
  return status === 400 && MODEL.test(said) ? 'model_not_found' : 'malformed_request';
}

/** The API of a host names what it misses. A bare 404 is that of a router or a proxy: it does not know the path. */
function outcomeOf404({ isJson, error }: Refusal, said: string): Outcome {
  if (MODEL.test(said)) return 'model_not_found';
  if (!isJson || !error) return 'path_not_found';
  return NO_ROUTE.test(error.message) ? 'path_not_found' : 'malformed_request';
}

function outcomeOf5xx({ status, error, saysWhen }: Refusal): Outcome {
  const said = wordsOf(error);
  if (status === 501) return 'path_not_found';
  if (status === 503 && LOADING.test(said)) return 'loading';
  if (status === 529 || OVERLOADED.test(said) || (status === 503 && saysWhen)) return 'overloaded';
  return 'server_error';
}
