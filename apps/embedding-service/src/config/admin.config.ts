import { apiKeySetting, setting } from '@morgan/foundation';
import { z } from 'zod';

/** Who may empty and fill the cache that all callers share. */
export const adminConfig = z
  .strictObject({
    apiKey: setting(apiKeySetting.min(8, 'needs at least 8 characters').optional(), {
      env: 'ADMIN_API_KEY',
      doc: 'Key for everything below `/admin`, which the keys of callers do not open then. Without it every caller may empty the cache of all of them.',
      secret: true,
    }),
  })
  .prefault({});
