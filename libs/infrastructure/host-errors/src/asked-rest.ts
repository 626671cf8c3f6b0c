import type { IncomingHttpHeaders } from 'node:http';
import { timeThere } from '@morgan/foundation';
import type { ReportedError } from './reported-error.ts';
import { restTimeMs } from './rest-time.ts';

/**
 * How long a refusal asks to wait, in milliseconds: what the headers say, the message, or a field of the error; of a router also
 * the headers of the host behind it.
 */
export function askedRestMs(
  status: number,
  headers: IncomingHttpHeaders,
  error: ReportedError | undefined,
): number | undefined {
  const said = restTimeMs(headers, error?.message, status < 500 && status !== 404);
  if (said || !error) return said;
  const { retryAfterMs, resetsAtMs, headers: behindHeaders, behind } = error;
  const untilMs = resetsAtMs === undefined ? 0 : Math.ceil(resetsAtMs - timeThere(headers));
  if (retryAfterMs !== undefined || untilMs > 0) return retryAfterMs ?? untilMs;
  return restTimeMs({ date: headers.date, ...behindHeaders }, behind) ?? said;
}
