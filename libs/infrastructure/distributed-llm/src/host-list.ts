import { apiKeySetting, httpUrl } from '@morgan/foundation';
import { z } from 'zod';

/** One upstream that speaks OpenAI's API. */
export interface LlmHost {
  /** Shown in `x-morgan-host`, logs and metrics. */
  readonly name: string;
  /** Base URL of the API, usually ending in `/v1`. */
  readonly url: string;
  /** Its share of the traffic relative to the others. */
  readonly weight: number;
  /** Sent as a bearer token. Callers' own keys never reach a host. */
  readonly apiKey?: string | undefined;
}

const FORM = 'write it as name=url, optionally with ;weight=2 and ;apiKey=…';

const name = z
  .string({ error: FORM })
  .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'a name has at most 63 letters, digits, dots, dashes and underscores');

const host = z.strictObject({
  name,
  url: httpUrl({ error: FORM }),
  weight: z.coerce
    .number({ error: 'must be a number' })
    .positive('must be above 0')
    .max(1000, 'must be at most 1000')
    .default(1),
  apiKey: apiKeySetting.optional(),
});

/** A list of hosts: objects, or one line such as `gpu1=http://10.0.0.1:8000/v1;weight=2,gpu2=http://10.0.0.2:8000/v1`. */
export const hostList = z.preprocess(
  (value) => (typeof value === 'string' ? splitLine(value) : value),
  z.array(host, { error: `must be a list of hosts; for each one ${FORM}` }).superRefine((hosts, context) => {
    hosts.forEach((one, index) => {
      if (hosts.findIndex((other) => other.name === one.name) === index) return;
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another host too' });
    });
  }),
);

function splitLine(line: string): Record<string, string>[] {
  const entries = line.split(',').map((entry) => entry.trim());
  return entries.filter(Boolean).map((entry) => {
    const [address = '', ...options] = entry.split(';');
    const pairs = options.filter((option) => option.trim()).map(splitPair);
    return { ...Object.fromEntries(pairs), ...splitAddress(address) };
  });
}

/** Without a `=` there is no telling name from URL, and a missing URL is what the schema then complains of. */
function splitAddress(address: string): Record<string, string> {
  if (!address.includes('=')) return { name: address.trim() };
  const [own, itsUrl] = splitPair(address);
  return { name: own, url: itsUrl };
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
