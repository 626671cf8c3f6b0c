import { apiKeySetting, apiUrl, NAMES_VARIABLE_FAULT, namesVariable, setting } from '@morgan/foundation';
import { attemptPoliciesConfig } from '@morgan/http-client';
import { z } from 'zod';
import { hostProbe } from './host-probe.config.ts';
import { hostTls } from './host-tls.config.ts';

const FORM = 'write it as name=url, optionally with ;weight=2 and ;apiKey=…';

const name = z
  .string({ error: FORM })
  .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'a name has at most 63 letters, digits, dots, dashes and underscores');

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of an HTTP header');

/** What is behind a scheme such as `Bearer` is a key. */
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be the value of an HTTP header')
  .refine((text) => isValue(text.split(' ').at(-1) ?? ''), NAMES_VARIABLE_FAULT);

/** What the gateway says itself in every request, or is about one connection. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-morgan-deadline-ms',
  'x-morgan-hops',
  'x-morgan-via',
  'x-request-id',
]);

/** Where no key can be either: these say where a request goes and what its body is. */
const NO_PLACE_FOR_KEYS: ReadonlySet<string> = new Set([...RESERVED_HEADERS, 'host', 'content-type']);
const RESERVED = "is the gateway's own to set";

/** Where callers have their keys, which no host is shown. */
const KEYS_OF_CALLERS: ReadonlySet<string> = new Set([
  'api-key',
  'authorization',
  'proxy-authorization',
  'x-api-key',
]);

/** What only some targets can do; what is left out is taken to be possible. */
export const capabilities = z.strictObject({
  contextLength: setting(z.int().min(1).optional(), { doc: 'Tokens of prompt and answer together.' }),
  tools: setting(z.boolean().optional(), { doc: 'Whether it takes tools.' }),
  vision: setting(z.boolean().optional(), { doc: 'Whether it takes images.' }),
  prefixContinuation: setting(z.enum(['vllm', 'prefix', 'prefill']).optional(), {
    doc: 'How it is asked to go on with a text that has begun: `vllm`, `prefix` or `prefill` ([streaming.md](streaming.md)). Left out: not at all.',
  }),
  endpoints: setting(
    z
      .array(
        z
          .string()
          .startsWith('/')
          .refine((path) => !path.startsWith('/v1/'), 'is below the base URL: leave /v1 out'),
      )
      .min(1)
      .optional(),
    {
      doc: 'Paths below the base URL that it has, such as `/chat/completions`; `/../tokenize` is beside its `/v1`. Left out: all.',
    },
  ),
});

export type Capabilities = z.output<typeof capabilities>;

/** A host's share of calls relative to the others. */
export const hostWeight = z.preprocess(
  // A line has texts only; what is neither text nor number, such as `true`, is no weight.
  (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
  z.number({ error: 'must be a number' }).positive('must be above 0').max(1000, 'must be at most 1000'),
);

/** What can be said of a host. */
export const hostFields = z.strictObject({
  name: setting(name, {
    doc: 'How logs, metrics, routes and `x-morgan-host` call it: 63 letters, digits, dots, dashes and underscores at most.',
  }),
  url: setting(apiUrl({ error: FORM }), { doc: 'Its base URL, such as `http://10.0.0.1:8000/v1`.' }),
  weight: setting(hostWeight.default(1), {
    doc: 'Its share of calls relative to the others, above 0 and at most 1000.',
  }),
  apiKey: setting(apiKeySetting.optional(), {
    doc: "Its key. Callers' own keys never reach a host.",
    secret: true,
  }),
  keyHeader: setting(headerName.optional(), {
    doc: 'The header that holds the key as it is, such as `api-key`. Left out: `authorization`, as a bearer token.',
  }),
  headers: setting(z.record(headerName, headerValue).optional(), {
    doc: 'Headers of every request, by name.',
    secret: true,
  }),
  forwardHeaders: setting(z.array(headerName.toLowerCase()).optional(), {
    doc: 'Further headers of callers that it gets, a list of names, such as `x-tenant`. No key can be among them.',
  }),
  query: setting(z.record(z.string().min(1), z.string().refine(isValue, NAMES_VARIABLE_FAULT)).optional(), {
    doc: "Parameters of every request's query, by name, such as Azure's `api-version`.",
    secret: true,
  }),
  tls: hostTls.optional(),
  capabilities: capabilities.optional(),
  probe: hostProbe.optional(),
  rateLimit: attemptPoliciesConfig.shape.rateLimit,
  tokenLimit: attemptPoliciesConfig.shape.tokenLimit,
  concurrency: attemptPoliciesConfig.shape.concurrency,
});

const host = hostFields.superRefine((fields, context) => {
  const { apiKey, keyHeader = 'authorization', headers = {}, forwardHeaders = [] } = fields;
  const refuse = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  if (NO_PLACE_FOR_KEYS.has(keyHeader.toLowerCase())) refuse(['keyHeader'], RESERVED);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  Object.keys(headers).forEach((name, at) => {
    const own = name.toLowerCase();
    if (apiKey !== undefined && own === keyHeader.toLowerCase())
      refuse(['headers', name], 'has the apiKey already');
    else if (RESERVED_HEADERS.has(own)) refuse(['headers', name], RESERVED);
    else if (names.indexOf(own) !== at) refuse(['headers', name], 'is given twice, in another case');
  });
  forwardHeaders.forEach((name, at) => {
    const path = ['forwardHeaders', at];
    if (KEYS_OF_CALLERS.has(name)) refuse(path, 'may hold the key of a caller, which no host gets');
    else if (RESERVED_HEADERS.has(name) || name === 'host') refuse(path, RESERVED);
    else if (names.includes(name) || (apiKey !== undefined && name === keyHeader.toLowerCase()))
      refuse(path, 'has a value of the host');
    else if (forwardHeaders.indexOf(name) !== at) refuse(path, 'is given twice');
  });
});

/** One upstream that speaks OpenAI's API. Only its name and its URL must be given. */
export type LlmHost = z.output<typeof host>;

/** A host as it is written, with its defaults left out. */
export type LlmHostOptions = z.input<typeof host>;

/** A list of hosts: objects, or one line such as `gpu1=http://10.0.0.1:8000/v1;weight=2,gpu2=http://10.0.0.2:8000/v1`. */
export const hostList = z.preprocess(
  (value, context) => (typeof value === 'string' ? splitLine(value, context) : value),
  z.array(host, { error: `must be a list of hosts; for each one ${FORM}` }).superRefine((hosts, context) => {
    hosts.forEach((one, index) => {
      if (hosts.findIndex((other) => other.name === one.name) === index) return;
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another host too' });
    });
  }),
);

function isValue(text: string): boolean {
  return !namesVariable(text);
}

function splitLine(line: string, context: z.RefinementCtx): Record<string, string>[] {
  const entries = line.split(/[,\n]/).map((entry) => entry.trim());
  return entries.filter(Boolean).map((entry, index) => {
    const [address = '', ...options] = entry.split(';');
    const pairs = [...splitAddress(address), ...options.filter((option) => option.trim()).map(splitPair)];
    const names = pairs.map(([key]) => key);
    // Other names may be part of a secret.
    for (const key of Object.keys(hostFields.shape))
      if (names.indexOf(key) !== names.lastIndexOf(key))
        context.addIssue({ code: 'custom', path: [index, key], message: 'is given twice' });
    return Object.fromEntries(pairs);
  });
}

/** Without a `=` there is no telling name from URL, and a missing URL is what the schema then complains of. */
function splitAddress(address: string): [string, string][] {
  if (!address.includes('=')) return [['name', address.trim()]];
  const [own, itsUrl] = splitPair(address);
  return [
    ['name', own],
    ['url', itsUrl],
  ];
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
