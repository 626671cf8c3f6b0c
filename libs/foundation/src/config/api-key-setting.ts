import { z } from 'zod';
import { isUnresolved } from './variables.ts';

/** How other programs name a variable where its value belongs. */
const OTHER_NAMES = /^(os\.environ\/|\$\w+$|\{\{)/;

/** Whether a value is the name of a variable, in whatever notation: it would be sent, or accepted, as it stands. */
export function namesVariable(value: string): boolean {
  return OTHER_NAMES.test(value) || isUnresolved(value);
}

/** What is said of such a value, which may be a secret all the same. */
export const NAMES_VARIABLE_FAULT =
  'looks like the name of a variable: write ${NAME} in the file, and the value itself in the environment';

/** A setting that holds a key which travels in a header: visible ASCII only, or the header could not be sent. */
export const apiKeySetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces')
  .refine((key) => !namesVariable(key), NAMES_VARIABLE_FAULT)
  .regex(/^(?!(["'`]).*\1$)/, 'has quotes around it, which would be part of it: leave them out');
