import { setting } from '@morgan/foundation';
import { z } from 'zod';
import { hostList } from './host-list.ts';

/** `setTimeout` takes no more than this many milliseconds, some 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const milliseconds = (fallback: number) => z.int().min(1).max(LONGEST_TIMER_MS).default(fallback);

/** The configuration of the hosts and of the way to them. */
export const distributedLlmConfig = z
  .strictObject({
    hosts: setting(hostList.default([]), {
      env: 'LLM_HOSTS',
      doc: 'The LLM hosts: `name=url` with optional `;weight=2` and `;apiKey=…`, separated by commas; in YAML a list of `name`, `url`, `weight`, `apiKey`.',
      secret: true,
    }),
    connectTimeoutMs: setting(milliseconds(5_000), {
      env: 'LLM_CONNECT_TIMEOUT_MS',
      doc: 'How long making a connection to a host may take, in milliseconds; coarse, up to a second late.',
    }),
    firstByteTimeoutMs: setting(milliseconds(300_000), {
      env: 'LLM_FIRST_BYTE_TIMEOUT_MS',
      doc: 'How long a host may take to begin its answer before the next one is tried, in milliseconds; an answer that is not streamed begins when it is complete.',
    }),
    idleTimeoutMs: setting(milliseconds(300_000), {
      env: 'LLM_IDLE_TIMEOUT_MS',
      doc: 'How long a host may be silent within an answer before the answer is given up, in milliseconds; coarse, up to a second late.',
    }),
    maxConnections: setting(z.int().min(1).default(1024), {
      env: 'LLM_MAX_CONNECTIONS',
      doc: 'The most connections to one host at a time; requests beyond it wait, and the wait counts as time before the first byte.',
    }),
    probeIntervalMs: setting(milliseconds(30_000), {
      env: 'LLM_PROBE_INTERVAL_MS',
      doc: 'Time between two health probes of a host (`GET /models`, which costs no tokens), in milliseconds, give or take a tenth.',
    }),
    probeTimeoutMs: setting(milliseconds(5_000), {
      env: 'LLM_PROBE_TIMEOUT_MS',
      doc: 'How long a health probe may take, in milliseconds.',
    }),
  })
  .prefault({});

export type DistributedLlmConfig = z.output<typeof distributedLlmConfig>;
