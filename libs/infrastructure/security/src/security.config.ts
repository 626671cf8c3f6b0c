import { apiKeySetting, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `auth` section of the configuration. */
export const authConfig = z
  .strictObject({
    apiKeys: setting(z.array(apiKeySetting.min(8, 'each key needs at least 8 characters')).default([]), {
      env: 'API_KEYS',
      doc: 'Accepted API keys, separated by commas. Empty: every caller is accepted, and the log warns of it.',
      secret: true,
    }),
  })
  .prefault({});
