import type { Fault } from '../fault.ts';
import { REFUSED } from '../fault-host.ts';
import {
  cutBehindHeaders,
  halfChunk,
  headersThenSilence,
  json,
  rawBytes,
  reset,
  roleChunk,
  silence,
  slowFirstToken,
  startEvents,
  text,
} from '../replies.ts';

const UNUSABLE_RESPONSES: readonly Fault[] = [
  {
    name: 'error-in-json',
    reply: json(200, { error: { message: 'Engine core died.' } }),
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: false,
  },
  {
    name: 'error-as-first-event',
    reply: (response) => {
      startEvents(response);
      response.end('data: {"error":{"message":"Engine core died."}}\n\ndata: [DONE]\n\n');
    },
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: true,
  },
  {
    name: 'error-behind-the-role',
    reply: (response, { model }) => {
      startEvents(response);
      response.end(`${roleChunk(model)}data: {"error":{"message":"Engine core died."}}\n\n`);
    },
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: true,
  },
  {
    name: 'html',
    reply: text(200, 'text/html', '<html>Welcome to nginx!</html>'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'html-as-json',
    reply: text(200, 'application/json', '<!doctype html><p>Sign in'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'empty',
    reply: text(200, 'application/json'),
    alone: { status: 502, says: /empty answer/ },
    repeats: 2,
  },
  {
    name: '204',
    reply: (response) => response.writeHead(204).end(),
    alone: { status: 502, says: /empty answer/ },
    repeats: 2,
  },
  {
    name: 'wrong-type',
    reply: text(200, 'application/octet-stream', 'GIF89a'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'redirect',
    reply: (response) => response.writeHead(302, { location: 'http://login.example/' }).end(),
    alone: { status: 502, says: /redirect/ },
  },
  {
    name: 'half-json',
    reply: text(200, 'application/json', '{"id":"c1","choices":['),
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
  {
    name: 'not-http',
    reply: rawBytes('SSH-2.0-OpenSSH_9.9\r\n'),
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
];

const CONNECTION_FAULTS: readonly Fault[] = [
  { name: REFUSED, reply: silence, alone: { status: 503, says: /no_host_available/ } },
  { name: 'reset', reply: reset, alone: { status: 502, says: /host_error/ }, repeats: 4 },
  {
    name: 'cut-behind-headers',
    reply: cutBehindHeaders,
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
  { name: 'half-a-chunk', reply: halfChunk, alone: { status: 502, says: /host_error/ }, repeats: 2 },
  {
    name: 'headers-then-silence',
    reply: headersThenSilence,
    alone: { status: 504, says: /host_timeout/ },
    isStream: true,
    slowMs: 5_000,
  },
  {
    name: 'silence',
    reply: silence,
    alone: { status: 504, says: /host_timeout/ },
    isStream: true,
    slowMs: 6_000,
  },
  { name: 'slow-first-token', reply: slowFirstToken(2_500), alone: {}, isStream: true, slowMs: 3_000 },
];

/** Responses that are none though their status is good, and connections that end or fall silent. */
export const RESPONSE_FAULTS: readonly Fault[] = [...UNUSABLE_RESPONSES, ...CONNECTION_FAULTS];
