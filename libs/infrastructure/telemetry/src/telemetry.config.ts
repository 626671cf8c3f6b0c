import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `log` section of the configuration. */
export const logConfig = z
  .strictObject({
    level: setting(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), {
      env: 'LOG_LEVEL',
      doc: 'The least severe level that is written: `debug`, `info`, `warn`, `error` or `silent`.',
    }),
    format: setting(z.enum(['auto', 'json', 'pretty']).default('auto'), {
      env: 'LOG_FORMAT',
      doc: 'One JSON object a line (`json`), coloured text (`pretty`), or pretty only on a terminal (`auto`).',
    }),
  })
  .prefault({});

/** As it is written: every key may be left out. */
export type LogOptions = z.input<typeof logConfig>;
