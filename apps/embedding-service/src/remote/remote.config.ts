import { apiKeySetting, apiUrl, setting } from '@morgan/foundation';
import { z } from 'zod';

/** `…/v1` and `…/v1/` are one host. */
const withoutEnd = (url: string) => url.replace(/\/+$/, '');

/** The `remote` section: OpenAI-compatible hosts that compute in place of a model here. */
export const remoteConfig = z
  .strictObject({
    hosts: setting(
      z
        .array(apiUrl())
        .max(16)
        .refine((urls) => new Set(urls.map(withoutEnd)).size === urls.length, 'names a host twice')
        .default([]),
      {
        env: 'EMBEDDING_REMOTE_HOSTS',
        doc: 'Base URLs of hosts that serve the same model, such as `http://host:8000/v1`, in the order in which they are tried.',
      },
    ),
    apiKey: setting(apiKeySetting.optional(), {
      env: 'EMBEDDING_REMOTE_API_KEY',
      doc: 'Key that the hosts want, sent as bearer token.',
      needs: 'remote.hosts',
      secret: true,
    }),
    model: setting(z.string().min(1).max(256).optional(), {
      env: 'EMBEDDING_REMOTE_MODEL',
      doc: 'The model as the hosts call it. With `dimensions` it is the identity of the vectors in the cache: give a new version a new name.',
    }),
    dimensions: setting(z.int().min(1).max(65_536).optional(), {
      env: 'EMBEDDING_REMOTE_DIMENSIONS',
      doc: 'Length of its vectors; an answer of another length is refused.',
    }),
    fallbackModel: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_REMOTE_FALLBACK_MODEL',
      doc: 'The same model in this container, as `EMBEDDING_MODEL` takes it: it embeds what no host gives vectors for. To name it is to declare that its vectors are those of the hosts: both share the cache. It is loaded at the start, and its vectors must have `dimensions` values; where those of one short text differ from what a host gave for it (cosine below 0.99, or a length that differs by a tenth), that is logged and it is not used.',
    }),
    batchSize: setting(z.int().min(1).max(2_048).default(32), {
      env: 'EMBEDDING_REMOTE_BATCH_SIZE',
      doc: 'Texts in one request to a host at most.',
      needs: 'remote.hosts',
    }),
    maxCharacters: setting(z.int().min(1).max(10_000_000).default(8_192), {
      env: 'EMBEDDING_REMOTE_MAX_CHARACTERS',
      doc: 'Characters of a text that are sent at most; a longer one is cut or refused.',
      needs: 'remote.hosts',
    }),
    maxConnections: setting(z.int().min(1).max(10_000).default(50), {
      env: 'EMBEDDING_REMOTE_MAX_CONNECTIONS',
      doc: 'Connections to each host at most.',
      needs: 'remote.hosts',
    }),
    failureThreshold: setting(z.int().min(1).default(5), {
      env: 'EMBEDDING_REMOTE_FAILURE_THRESHOLD',
      doc: 'Failures in a row after which a host is not asked for a while.',
      needs: 'remote.hosts',
    }),
    requestsPerSecond: setting(z.number().gt(0).default(5), {
      env: 'EMBEDDING_REMOTE_REQUESTS_PER_SECOND',
      doc: 'Requests a second to each host; further ones wait up to 30 s for their turn.',
      needs: 'remote.hosts',
    }),
    burst: setting(z.int().min(1).default(10), {
      env: 'EMBEDDING_REMOTE_BURST',
      doc: 'Requests that may go out at once after a pause.',
      needs: 'remote.hosts',
    }),
  })
  .prefault({});

export type RemoteConfig = z.output<typeof remoteConfig>;
