import { z } from 'zod';

/** A setting that holds a key which travels in a header: visible ASCII only, or the header could not be sent. */
export const apiKeySetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces');
