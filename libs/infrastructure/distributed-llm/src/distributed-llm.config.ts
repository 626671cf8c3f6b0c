import { circuitBreakerConfig } from '@morgan/circuit-breaker';
import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { retryConfig } from '@morgan/retry';
import { z } from 'zod';
import { hostList } from './host-list.ts';

const milliseconds = (fallback: number) => z.int().min(1).max(MAX_TIMER_MS).default(fallback);

/** The health monitor takes no more than this, as its interval varies. */
const LONGEST_PROBE_MS = 2 ** 30;

/**
 * The breaker's settings with a gateway's defaults: hosts are asked again soon, as callers wait for them, also after a
 * long outage; one good answer is enough, as an answer can take a minute. A probe has `firstByteTimeoutMs`.
 */
const hostBreakerConfig = circuitBreakerConfig
  .unwrap()
  .omit({ trialTimeoutMs: true })
  .extend({
    successThreshold: setting(z.int().min(1).default(1), {
      doc: 'Good probes in HALF_OPEN that close it again; a probe is a call like any other.',
    }),
    resetTimeoutMs: setting(milliseconds(10_000), {
      doc: 'How long a host that failed too often is left alone before the next call may find out how it is, in milliseconds. Doubles with each trip that follows without a calm spell as long as the wait before.',
    }),
    maxResetTimeoutMs: setting(milliseconds(60_000), {
      doc: 'The most that `resetTimeoutMs` grows to, in milliseconds.',
    }),
  })
  .prefault({});

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
    probeIntervalMs: setting(z.int().min(1).max(LONGEST_PROBE_MS).default(30_000), {
      env: 'LLM_PROBE_INTERVAL_MS',
      doc: 'Time between two health probes of a host (`GET /models`, which costs no tokens), in milliseconds, give or take a tenth.',
    }),
    probeTimeoutMs: setting(z.int().min(1).max(LONGEST_PROBE_MS).default(5_000), {
      env: 'LLM_PROBE_TIMEOUT_MS',
      doc: 'How long a health probe may take, in milliseconds.',
    }),
    circuitBreaker: hostBreakerConfig,
    budget: retryConfig.unwrap().shape.budget,
  })
  .prefault({});

export type DistributedLlmConfig = z.output<typeof distributedLlmConfig>;
