import { cacheConfig } from '@morgan/cache';
import { httpConfig } from '@morgan/http-server';
import { localEmbeddingsConfig } from '@morgan/local-embeddings';
import { redisConfig } from '@morgan/redis';
import { authConfig } from '@morgan/security';
import { logConfig } from '@morgan/telemetry';
import { milliseconds, setting, whereGood } from '@morgan/foundation';
import { z } from 'zod';
import { modelsConfig } from '../models/models.config.ts';
import { adminConfig } from './admin.config.ts';
import { proxyConfig } from './proxy.config.ts';
import { type RemoteConfig, remoteConfig } from '../remote/remote.config.ts';
import { warmingConfig } from '../cache/warming.config.ts';

/** 16 MiB: 2,048 texts of 8 kB. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** A body costs several times its size once it is parsed and its texts wait for a model process; the pod has 1,536 MiB. */
const MAX_BODY_BYTES = 96 * 1024 * 1024;

const local = localEmbeddingsConfig.unwrap();
const BUNDLED = local.shape.model.parse(undefined);

/** The model here; its backend may be none: hosts elsewhere. */
const modelConfig = local
  .extend({
    backend: setting(z.enum([...local.shape.backend.unwrap().options, 'remote']).default('auto'), {
      env: 'EMBEDDING_BACKEND',
      doc: 'Who says how vectors are made: `sentence-transformers` (`modules.json`), `transformers` (the library transformers.js), `onnx` (any graph with `tokenizer.json`), `fastembed`, or `cross-encoder`, which ranks texts. `auto` finds it from the files of the folder. `remote`: the hosts of `remote`, in place of a model here.',
    }),
  })
  .prefault({});

/** Settings of a model here that make other vectors: hosts elsewhere do not hear of them. */
const OF_MODELS_HERE = [
  'graphFile',
  'graphInputs',
  'graphOutput',
  'pooling',
  'normalize',
  'truncateDimensions',
  'promptName',
  'maxTokens',
] as const;

interface Backends {
  readonly model: z.output<typeof modelConfig>;
  readonly further: { readonly models: readonly unknown[] };
  readonly remote: RemoteConfig;
}

type Fault = readonly [section: 'model' | 'remote', key: string, message: string];

/** Whoever names hosts elsewhere wants their vectors, and would get others in silence. */
function localFaults({ remote: { hosts, model, dimensions, fallbackModel } }: Backends): Fault[] {
  return Object.entries({ hosts: hosts[0], model, dimensions, fallbackModel })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ['remote', key, 'is for hosts elsewhere: `model.backend` is not `remote`']);
}

function remoteFaults({ model, further, remote }: Backends): Fault[] {
  const needed = { hosts: remote.hosts[0], model: remote.model, dimensions: remote.dimensions };
  const faults = Object.entries(needed)
    .filter(([, value]) => value === undefined)
    .map(([key]): Fault => ['remote', key, 'is needed where `model.backend` is `remote`']);
  if (model.model !== BUNDLED)
    faults.push(['model', 'model', 'is not used: `backend` is `remote`, whose model is `remote.model`']);
  if (remote.fallbackModel !== undefined || further.models.length > 0) return faults;
  const idle: string[] = OF_MODELS_HERE.filter((key) => model[key] !== undefined);
  if (model.revision !== 'main') idle.push('revision');
  return [
    ...faults,
    ...idle.map((key): Fault => ['model', key, 'is for a model here, and `backend` is `remote`']),
  ];
}

/** The whole configuration of embedding-service. */
export const embeddingServiceConfig = z
  .strictObject({
    log: logConfig,
    auth: authConfig,
    embeddingService: z
      .strictObject({
        http: httpConfig({ port: 8081, bodyLimitBytes: BODY_LIMIT_BYTES, maxBodyBytes: MAX_BODY_BYTES }),
        callTimeoutMs: setting(milliseconds.default(600_000), {
          env: 'CALL_TIMEOUT_MS',
          doc: 'How long a whole request may take, from its first byte to the last of the answer, in milliseconds; then 504. Callers shorten it with `x-morgan-deadline-ms`.',
        }),
        model: modelConfig,
        further: modelsConfig,
        remote: remoteConfig,
        proxy: proxyConfig,
        cutDimensions: setting(z.array(z.int().min(1)).optional(), {
          env: 'EMBEDDING_CUT_DIMENSIONS',
          doc: 'Lengths to which `dimensions` may cut vectors, of all models; an empty list for none. By default those that the files of a model declare (Matryoshka), and where they declare none any length below that of the model: the caller who asks for one must know.',
        }),
        cache: cacheConfig,
        warming: warmingConfig,
        admin: adminConfig,
        redis: redisConfig,
      })
      .superRefine(
        (config, context) => {
          const faults = config.model.backend === 'remote' ? remoteFaults(config) : localFaults(config);
          for (const [section, key, message] of faults)
            context.addIssue({ code: 'custom', path: [section, key], message });
        },
        whereGood('model', 'further', 'remote'),
      )
      .prefault({}),
  })
  .refine(({ auth, embeddingService: { admin } }) => !auth.apiKeys.some((key) => key === admin.apiKey), {
    ...whereGood('auth.apiKeys', 'embeddingService.admin.apiKey'),
    path: ['embeddingService', 'admin', 'apiKey'],
    message: 'is a key of callers, too: they would be operators',
  });

export type EmbeddingServiceConfig = z.output<typeof embeddingServiceConfig>;

/** Top-level sections of a shared configuration file that belong to llm-service. */
export const FOREIGN_SECTIONS = ['llmService'];
