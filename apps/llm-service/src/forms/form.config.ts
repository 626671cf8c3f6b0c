import { setting } from '@morgan/foundation';
import { z } from 'zod';

const MIB = 1024 * 1024;

/** How multipart forms, such as audio to be transcribed, are passed through. */
export const formConfig = z
  .strictObject({
    heldBytes: setting(
      z
        .int()
        .min(16_384)
        .max(64 * MIB)
        .default(4 * MIB),
      {
        env: 'FORM_HELD_BYTES',
        doc: 'How much of a form is held at a time, in bytes; the rest passes through. The field `model` has to come within it, and another host can be tried as long as no more has been sent.',
      },
    ),
  })
  .prefault({});

export type FormConfig = z.output<typeof formConfig>;
