import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';

const pem = z.union([z.string().min(1), z.instanceof(Buffer)]);

const tlsConfig = z.strictObject({
  ca: setting(z.union([pem, z.array(pem).min(1)]).optional(), {
    doc: 'The certificate authorities to trust in place of those of Node, in PEM.',
  }),
  cert: setting(pem.optional(), {
    doc: 'The certificate to show where a server asks for one (mTLS), in PEM, with its chain.',
  }),
  key: setting(pem.optional(), { doc: 'The key of `cert`, in PEM.', secret: true }),
  servername: setting(z.string().min(1).optional(), {
    doc: 'The name to ask for (SNI) and to find in the certificate, in place of the host of the origin.',
  }),
  rejectUnauthorized: setting(z.boolean().default(true), {
    doc: 'Only `false` accepts a certificate that cannot be verified: for tests, never in production.',
  }),
});

const proxyConfig = z.strictObject({
  url: setting(z.url({ protocol: /^https?$/ }), {
    doc: 'The forward proxy for `https:` origins, which is asked to CONNECT; credentials in it are sent as Basic.',
    secret: true,
  }),
  except: setting(z.string().default(''), {
    doc: 'Origins that are met without it, as in `NO_PROXY`: hosts, suffixes such as `.svc`, `host:port` or `*`, separated by commas.',
  }),
});

/** What holds for every connection of a transport. Where `null` is allowed it means: no such limit. */
export const httpTransportConfig = z
  .strictObject({
    maxConnections: setting(z.int().min(1).default(100), {
      doc: 'The most connections to one origin; further requests wait. HTTP/2 connections that only finish what is under way do not count.',
    }),
    maxKeepalive: setting(z.int().min(0).default(20), {
      doc: 'The most connections to one origin that stay idle; what stays over that is closed within about a second.',
    }),
    keepAliveTimeoutMs: setting(milliseconds.default(5_000), {
      doc: 'How long an idle connection is kept, in milliseconds; two seconds less than the time that the server names, where that is shorter. Below the time of the server, so that few requests meet a closing connection.',
    }),
    connectTimeoutMs: setting(milliseconds.default(5_000), {
      doc: 'The longest time for name, TCP and TLS together, in milliseconds; up to a second late.',
    }),
    readTimeoutMs: setting(milliseconds.default(30_000), {
      doc: 'The longest wait for the headers of a response, and the longest silence in its body, in milliseconds, where a request has no limits of its own.',
    }),
    writeTimeoutMs: setting(milliseconds.nullable().default(10_000), {
      doc: 'The longest time in which the other side takes no 64 KiB of a request body, in milliseconds; null: no limit. Bodies within 64 KiB are not watched, a slow source does not count, and nothing does once the response began.',
    }),
    poolTimeoutMs: setting(milliseconds.nullable().default(5_000), {
      doc: 'The longest wait for a connection to become free, in milliseconds; null: only the wait for the headers ends it.',
    }),
    http2: setting(z.boolean().default(true), {
      doc: 'Whether to speak HTTP/2 with servers that offer it over TLS: up to 100 requests share a connection. Other servers get HTTP/1.1.',
    }),
    maxConnectionAgeMs: setting(milliseconds.nullable().default(60_000), {
      doc: 'The age at which a connection to a name is replaced before its next request, in milliseconds, so that a changed DNS record is honoured; null: never. A request under way is not cut.',
    }),
    tls: tlsConfig.prefault({}),
    proxy: proxyConfig.optional(),
  })
  .prefault({});

/** With every default filled in. */
export type HttpTransportConfig = z.output<typeof httpTransportConfig>;

/**
 * TLS settings for `https:` origins. What is left out is Node's default: its certificate authorities, no own
 * certificate.
 */
export type TransportTls = z.input<typeof tlsConfig>;
