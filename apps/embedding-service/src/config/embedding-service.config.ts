import { cacheConfig } from '@morgan/cache';
import { httpConfig } from '@morgan/http-server';
import { localEmbeddingsConfig } from '@morgan/local-embeddings';
import { redisConfig } from '@morgan/redis';
import { authConfig } from '@morgan/security';
import { logConfig } from '@morgan/telemetry';
import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';
import { modelsConfig } from '../models/models.config.ts';
import { proxyConfig } from './proxy.config.ts';
import { remoteConfig } from '../remote/remote.config.ts';
import { warmingConfig } from '../cache/warming.config.ts';

/** 16 MiB: 2,048 texts of 8 kB. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** A body costs several times its size once it is parsed and its texts wait for a worker; the pod has 1,536 MiB. */
const MAX_BODY_BYTES = 96 * 1024 * 1024;

const local = localEmbeddingsConfig.unwrap();

/** The model here; its backend may be none: hosts elsewhere. */
const modelConfig = local
  .extend({
    backend: setting(z.enum([...local.shape.backend.unwrap().options, 'remote']).default('auto'), {
      env: 'EMBEDDING_BACKEND',
      doc: 'Who says how vectors are made: `sentence-transformers` (`modules.json`), `transformers` (the library transformers.js), `onnx` (any graph with `tokenizer.json`), `fastembed`, or `cross-encoder`, which ranks texts. `auto` finds it from the files of the folder. `remote`: the hosts of `remote`, in place of a model here.',
    }),
  })
  .prefault({});

/** The whole configuration of embedding-service. */
export const embeddingServiceConfig = z.strictObject({
  log: logConfig,
  auth: authConfig,
  embeddingService: z
    .strictObject({
      http: httpConfig({ port: 8081, bodyLimitBytes: BODY_LIMIT_BYTES, maxBodyBytes: MAX_BODY_BYTES }),
      callTimeoutMs: setting(z.int().min(1).max(MAX_TIMER_MS).default(600_000), {
        env: 'CALL_TIMEOUT_MS',
        doc: 'How long a whole request may take, from its first byte to the last of the answer, in milliseconds; then 504. Callers shorten it with `x-morgan-deadline-ms`.',
      }),
      model: modelConfig,
      further: modelsConfig,
      remote: remoteConfig,
      proxy: proxyConfig,
      cutDimensions: setting(z.array(z.coerce.number<number | string>().int().min(1)).optional(), {
        env: 'EMBEDDING_CUT_DIMENSIONS',
        doc: 'Lengths to which `dimensions` may cut vectors, of all models; an empty list for none. By default those that the files of a model declare (Matryoshka), and where they declare none any length below that of the model: the caller who asks for one must know.',
      }),
      cache: cacheConfig,
      warming: warmingConfig,
      redis: redisConfig,
    })
    .superRefine(({ model, remote }, context) => {
      if (model.backend !== 'remote') {
        const message = 'is for hosts elsewhere: `model.backend` is not `remote`';
        if (remote.fallbackModel !== undefined)
          context.addIssue({ code: 'custom', path: ['remote', 'fallbackModel'], message });
        return;
      }
      const { hosts, ...declared } = remote;
      const needed = { hosts: hosts[0], model: declared.model, dimensions: declared.dimensions };
      for (const [key, value] of Object.entries(needed)) {
        const message = 'is needed where `model.backend` is `remote`';
        if (value === undefined) context.addIssue({ code: 'custom', path: ['remote', key], message });
      }
    })
    .prefault({}),
});

export type EmbeddingServiceConfig = z.output<typeof embeddingServiceConfig>;

/** Top-level sections of a shared configuration file that belong to llm-service. */
export const FOREIGN_SECTIONS = ['llmService'];
