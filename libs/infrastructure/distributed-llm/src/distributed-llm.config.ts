import { circuitBreakerConfig, RESETS_IN_ORDER } from '@morgan/circuit-breaker';
import { MAX_TIMER_MS, milliseconds, proxyUrl, setting, whereGood } from '@morgan/foundation';
import { isExcepted } from '@morgan/http-transport';
import { retryBudgetConfig } from '@morgan/retry';
import { z } from 'zod';
import { hostList } from './hosts/host-list.ts';
import { LONGEST_PROBE_MS } from './hosts/host-probe.config.ts';
import { hostGroups, repeatedTargets, routeList, unknownNames } from './routing/route.config.ts';
import { DEFAULT_STRATEGY, loadBalancingStrategy } from './strategies/create-strategy.ts';

/**
 * The breaker's settings with a gateway's defaults: hosts are asked again soon, as callers wait for them, also after a
 * long outage; one good response is enough, as a response can take a minute. A trial call has the limits of any call.
 */
const hostBreakerConfig = z
  .strictObject(circuitBreakerConfig.unwrap().shape)
  .omit({ trialTimeoutMs: true, trialSlotMs: true })
  .extend({
    successThreshold: setting(z.int().min(1).default(1), {
      doc: 'Trial calls that succeeded in HALF_OPEN that close it again; a trial call is a call like any other.',
    }),
    resetTimeoutMs: setting(milliseconds.default(10_000), {
      doc: 'How long a host that failed too often is asked last only, in milliseconds, before the next call may find out how it is. Doubles with each trip that comes sooner after closing than the wait before was long.',
    }),
    maxResetTimeoutMs: setting(milliseconds.default(25_000), {
      doc: 'The most that `resetTimeoutMs` grows to, in milliseconds.',
    }),
  })
  .refine(...RESETS_IN_ORDER)
  .prefault({});

const panicConfig = z
  .strictObject({
    share: setting(z.number().min(0).max(1).default(1), {
      doc: 'Where every host fails, rests by its own fault or looks down: the share of the calls that may ask one all the same.',
    }),
    concurrency: setting(z.int().min(1).default(16), {
      doc: 'How many such calls may be at one host at a time; the others are refused with 503.',
    }),
    maxPerSecond: setting(z.number().min(1).default(50), {
      doc: 'How many such calls may begin at one host in a second; the others are refused with 503.',
    }),
  })
  .prefault({});

const timeConfig = {
  connectTimeoutMs: setting(milliseconds.default(5_000), {
    env: 'LLM_CONNECT_TIMEOUT_MS',
    doc: 'How long making a connection to a host may take, in milliseconds; coarse, up to a second late. Routes and callers (`x-morgan-connect-ms`) shorten it.',
  }),
  firstByteTimeoutMs: setting(milliseconds.default(300_000), {
    env: 'LLM_FIRST_BYTE_TIMEOUT_MS',
    doc: 'How long a host may take to the headers of a streamed answer, and to its first content, before the next one is tried, in milliseconds. A route may say otherwise, and callers shorten it with `x-morgan-first-content-ms`.',
  }),
  firstTokenTimeoutMs: setting(milliseconds.default(10_000), {
    env: 'LLM_FIRST_TOKEN_TIMEOUT_MS',
    doc: 'How long the first content of a streamed answer may take before the call starts at a second host, too, in milliseconds; longer where the host is known to be slower. Whichever begins first is handed out. Pictures, speech and transcripts are never begun twice so.',
  }),
  answerTimeoutMs: setting(milliseconds.optional(), {
    env: 'LLM_ANSWER_TIMEOUT_MS',
    doc: 'How long an answer that is not streamed may take, in milliseconds. Then the caller gets 504, and no other host is asked. Left out: as `firstByteTimeoutMs`.',
  }),
  idleTimeoutMs: setting(milliseconds.default(300_000), {
    env: 'LLM_IDLE_TIMEOUT_MS',
    doc: 'How long a host may be silent within an answer before the answer is given up, in milliseconds; coarse, up to a second late.',
  }),
};

const MIB = 1024 * 1024;

const streamsConfig = z
  .strictObject({
    stallTimeoutMs: setting(milliseconds.default(120_000), {
      env: 'STREAM_STALL_TIMEOUT_MS',
      doc: 'How long a stream may be silent between two events after its first content, in milliseconds; comments are silence. Then it is interrupted. A route may say otherwise, and callers shorten it with `x-morgan-stall-ms`.',
    }),
    finishTimeoutMs: setting(milliseconds.default(5_000), {
      doc: 'How long a host may be silent after a complete answer before its end marker is supplied, in milliseconds.',
    }),
    maxEventBytes: setting(
      z
        .int()
        .min(1_024)
        .max(64 * MIB)
        .default(8 * MIB),
      { doc: 'The most bytes that one event of a stream may have; a larger one interrupts it.' },
    ),
    acceptUnfinished: setting(z.boolean().default(false), {
      env: 'STREAM_ACCEPT_UNFINISHED',
      doc: 'Whether a stream that ends cleanly, but before its answer did, is taken for an answer, without an end marker. Otherwise it is a fault of the host, and may be finished by another. A route may say otherwise.',
    }),
  })
  .prefault({});

const probeConfig = {
  probeIntervalMs: setting(z.int().min(1).max(LONGEST_PROBE_MS).default(30_000), {
    env: 'LLM_PROBE_INTERVAL_MS',
    doc: 'Time between two health probes of a host (`GET /models`, which costs no tokens), in milliseconds, give or take a tenth; a sixth of it while the host is down.',
  }),
  probeTimeoutMs: setting(
    z
      .int()
      .min(1)
      .max(LONGEST_PROBE_MS / 2)
      .default(5_000),
    {
      env: 'LLM_PROBE_TIMEOUT_MS',
      doc: 'How long a health probe may take, in milliseconds.',
    },
  ),
  readiness: setting(z.enum(['process', 'hosts']).default('process'), {
    env: 'LLM_READINESS',
    doc: 'What `/readyz` follows: `process`, so that callers get a clear answer while hosts are down; or `hosts`: not ready while all of them are down.',
  }),
};

const restConfig = {
  maxRetryAfterWaitMs: setting(z.int().min(0).max(MAX_TIMER_MS).default(5_000), {
    env: 'LLM_MAX_RETRY_AFTER_WAIT_MS',
    doc: 'How long a call waits in all for a host that asked for it, where no equal one is free, and for a limit of ours before a lower tier is asked, in milliseconds; 0: not at all.',
  }),
  maxRestMs: setting(milliseconds.default(300_000), {
    doc: 'The longest time that a host is passed over because it asked for it, in milliseconds.',
  }),
};

const proxyConfig = z
  .strictObject({
    url: setting(proxyUrl.optional(), {
      env: 'HTTPS_PROXY',
      doc: 'The forward proxy to `https:` hosts, which is asked to CONNECT. Where it is not set, `ALL_PROXY`.',
      secret: true,
    }),
    httpUrl: setting(z.string().optional(), {
      env: 'HTTP_PROXY',
      doc: 'Not used: `http:` hosts are met directly. So that nobody is surprised, it is refused where a host is not excepted from it, and so is `ALL_PROXY` in its place.',
      secret: true,
    }),
    except: setting(z.string().default(''), {
      env: 'NO_PROXY',
      doc: 'Hosts that are met without it: names, suffixes such as `.svc`, addresses, networks such as `10.0.0.0/8`, `host:port` or `*`, separated by commas.',
    }),
  })
  .prefault({});

const routingConfig = {
  strategy: setting(loadBalancingStrategy.default(DEFAULT_STRATEGY), {
    env: 'LLM_STRATEGY',
    doc: 'How a host is chosen among equal ones: `round_robin`, `random`, `weighted_random`, `least_loaded`, `power_of_two`, `session_affinity`.',
  }),
  allowedStrategies: setting(z.array(loadBalancingStrategy).default([]), {
    doc: 'Those of them that a caller may choose for one request by `x-morgan-strategy`; others are refused with 400.',
  }),
  routes: setting(routeList.default([]), {
    doc: 'Which targets serve which models: a list, see [a route](#a-route). Other models go to every host that may have them.',
  }),
  groups: setting(hostGroups.default({}), {
    doc: 'Names for lists of hosts, for routes.',
  }),
};

/** The hosts, and all settings of how they are called. */
export const distributedLlmConfig = z
  .strictObject({
    hosts: setting(hostList.default([]), {
      env: 'LLM_HOSTS',
      doc: 'The LLM hosts: `name=url` with optional `;weight=2` and `;apiKey=…`, separated by commas; in YAML a list, see [a host](#a-host).',
      secret: true,
    }),
    ...routingConfig,
    ...timeConfig,
    streams: streamsConfig,
    ...restConfig,
    maxConnections: setting(z.int().min(1).default(1024), {
      env: 'LLM_MAX_CONNECTIONS',
      doc: 'The most connections to one host at a time; requests beyond it wait, as long as they may for the first byte, and then go to another host: the wait says nothing of this one.',
    }),
    proxy: proxyConfig,
    ...probeConfig,
    circuitBreaker: hostBreakerConfig,
    panic: panicConfig,
    budget: retryBudgetConfig,
  })
  .superRefine(
    ({ hosts, proxy }, context) => {
      for (const { name, url } of proxy.httpUrl ? hosts : [])
        if (url.startsWith('http:') && !isExcepted(url, proxy.except))
          context.addIssue({
            code: 'custom',
            path: ['proxy', 'httpUrl'],
            message: `is not used for http: hosts, and "${name}" is one: leave it (and ALL_PROXY) out, or name the host in NO_PROXY`,
          });
    },
    whereGood('hosts', 'proxy'),
  )
  .superRefine(
    ({ hosts, routes, groups }, context) => {
      const names = new Set(hosts.map(({ name }) => name));
      for (const fault of [...unknownNames(routes, groups, names), ...repeatedTargets(routes, groups)])
        context.addIssue({ code: 'custom', ...fault });
    },
    whereGood('hosts', 'routes', 'groups'),
  )
  .prefault({});

/** The configuration with every default filled in. */
export type DistributedLlmConfig = z.output<typeof distributedLlmConfig>;
