import { apiKeySetting, setting, whereGood } from '@morgan/foundation';
import { isLoopback } from '@morgan/http-server';
import { z } from 'zod';

/** The port for operators; without a port there is none. */
export const adminConfig = z
  .strictObject({
    port: setting(z.int().min(0).max(65_535).optional(), {
      env: 'ADMIN_PORT',
      doc: 'TCP port of the admin API; 0 takes a free one. Left out: there is no admin API.',
    }),
    host: setting(z.string().min(1).default('127.0.0.1'), {
      env: 'ADMIN_HOST',
      doc: 'Address that the admin API listens on. Beyond loopback it needs a key.',
      needs: 'admin.port',
    }),
    apiKey: setting(apiKeySetting.min(8, 'needs at least 8 characters').optional(), {
      env: 'ADMIN_API_KEY',
      doc: 'Key that the admin API asks for. Callers of the service have no use for it, and their keys none here.',
      needs: 'admin.port',
      secret: true,
    }),
  })
  .refine(({ port, host, apiKey }) => port === undefined || apiKey !== undefined || isLoopback(host), {
    ...whereGood('port', 'host', 'apiKey'),
    path: ['apiKey'],
    message: 'is needed where the admin API listens beyond loopback',
  })
  .prefault({});

export type AdminConfig = z.output<typeof adminConfig>;
