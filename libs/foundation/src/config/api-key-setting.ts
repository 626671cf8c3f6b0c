import { z } from 'zod';

/** A setting that holds a key which travels in a header: visible ASCII only, or the header could not be sent. */
export const apiKeySetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces')
  .regex(/^(?!os\.environ\/|\$\w+$|\{\{)/, 'looks like the name of a variable: write ${NAME}')
  .regex(/^(?!(["'`]).*\1$)/, 'has quotes around it, which would be part of it: leave them out');
