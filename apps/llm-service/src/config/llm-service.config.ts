import { apiKeySetting, apiUrl, setting, whereGood } from '@morgan/foundation';
import { distributedLlmConfig } from '@morgan/distributed-llm';
import { httpConfig } from '@morgan/http-server';
import { redisConfig } from '@morgan/redis';
import { authConfig } from '@morgan/security';
import { logConfig } from '@morgan/telemetry';
import { z } from 'zod';
import { adminConfig } from '../admin/admin.config.ts';
import { callerLimitsConfig, limitsCallers } from '../callers/caller-limits.config.ts';
import { ENDPOINTS } from '../endpoints/endpoint.table.ts';
import { formConfig } from '../forms/form.config.ts';
import { messageConfig } from '../messages/message.config.ts';
import { streamConfig } from '../relay/stream.config.ts';
import { callTimeoutsConfig } from '../relay/call-timeouts.config.ts';

/** 32 MiB: a few images in a vision request. */
const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

/** Four of the largest bodies at a time: with what is made of them that stays within a pod of 512 MiB, on a crowded machine as well. */
const MAX_BODY_BYTES = 160 * 1024 * 1024;

/** What `POST /v1/embeddings` goes to is called among hosts. */
export const EMBEDDING_HOST = 'embedding-service';

/** Where `POST /v1/embeddings` goes. */
const embeddingUpstreamConfig = z
  .strictObject({
    url: setting(apiUrl().default('http://127.0.0.1:8081/v1'), {
      env: 'EMBEDDING_URL',
      doc: 'Base URL of the embedding-service, to which `/v1/embeddings` is forwarded.',
    }),
    apiKey: setting(apiKeySetting.optional(), {
      env: 'EMBEDDING_API_KEY',
      doc: 'API key that the embedding-service asks for, if it does.',
      secret: true,
    }),
  })
  .prefault({});

const knownPaths: ReadonlySet<string> = new Set(ENDPOINTS.map(({ path }) => path));

const extraPathsSetting = setting(
  z
    .array(
      z
        .string()
        .regex(/^(\/[\w.~-]+)+$/, 'write it as a path, such as /v1/audio/voices')
        .refine((path) => !/\/\.\.?(\/|$)/.test(path), 'a path has no dots as a part')
        .refine((path) => !knownPaths.has(path), 'is served already'),
    )
    .refine((paths) => new Set(paths).size === paths.length, 'names a path twice')
    .default([]),
  {
    doc: 'Further paths that are passed on to hosts, JSON requests by POST: those below `/v1` below the base URL of a host, others beside it.',
  },
);

/** The whole configuration of llm-service. */
export const llmServiceConfig = z
  .strictObject({
    log: logConfig,
    auth: authConfig,
    llmService: z
      .strictObject({
        http: httpConfig({ port: 8080, bodyLimitBytes: BODY_LIMIT_BYTES, maxBodyBytes: MAX_BODY_BYTES }),
        timeouts: callTimeoutsConfig,
        streams: streamConfig,
        forms: formConfig,
        messages: messageConfig,
        callerLimits: callerLimitsConfig,
        extraPaths: extraPathsSetting,
        upstream: distributedLlmConfig,
        embedding: embeddingUpstreamConfig,
        redis: redisConfig,
        admin: adminConfig,
      })
      .prefault({}),
  })
  .refine(({ llmService }) => llmService.upstream.hosts.length > 0, {
    ...whereGood('llmService.upstream.hosts'),
    path: ['llmService', 'upstream', 'hosts'],
    message: 'at least one LLM host is needed, as in LLM_HOSTS="gpu1=http://10.0.0.1:8000/v1"',
  })
  .refine(
    ({ auth, llmService: { callerLimits } }) => auth.apiKeys.length > 0 || !limitsCallers(callerLimits),
    {
      ...whereGood('auth.apiKeys', 'llmService.callerLimits'),
      path: ['llmService', 'callerLimits'],
      message: 'callers are told apart by their API keys, and API_KEYS is empty',
    },
  )
  .refine(
    ({ auth, llmService: { admin } }) => admin.apiKey === undefined || !auth.apiKeys.includes(admin.apiKey),
    {
      ...whereGood('auth.apiKeys', 'llmService.admin.apiKey'),
      path: ['llmService', 'admin', 'apiKey'],
      message: 'is a key of callers, too: they would be operators',
    },
  )
  .refine(({ llmService: { admin, http } }) => !admin.port || admin.port !== http.port, {
    ...whereGood('llmService.http.port', 'llmService.admin.port'),
    path: ['llmService', 'admin', 'port'],
    message: 'is the port of callers, too: operators have one of their own',
  })
  .superRefine(({ llmService: { upstream } }, context) => {
    const at = upstream.hosts.findIndex(({ name }) => name === EMBEDDING_HOST);
    if (at < 0) return;
    const message =
      'is the name of what EMBEDDING_URL leads to, in metrics and for operators: take another one';
    context.addIssue({ code: 'custom', path: ['llmService', 'upstream', 'hosts', at, 'name'], message });
  }, whereGood('llmService.upstream.hosts'));

export type LlmServiceConfig = z.output<typeof llmServiceConfig>;

/** Top-level sections of a shared configuration file that belong to embedding-service. */
export const FOREIGN_SECTIONS = ['embeddingService'];
