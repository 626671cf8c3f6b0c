import { apiKeySetting, setting } from '@morgan/foundation';
import { z } from 'zod';

/** One with a comma would be several where they are separated by commas, and let nobody in as one. */
const callersKey = apiKeySetting
  .min(8, 'each key needs at least 8 characters')
  .regex(/^[^,]*$/, 'has a comma in it: write several as a list, or as one text without a list around it');

/** The `auth` section of the configuration. */
export const authConfig = z
  .strictObject({
    apiKeys: setting(z.array(callersKey).default([]), {
      env: 'API_KEYS',
      doc: 'Accepted API keys, separated by commas. Empty: every caller is accepted, and the log warns of it.',
      secret: true,
    }),
  })
  .prefault({});
