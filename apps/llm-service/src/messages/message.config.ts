import { setting } from '@morgan/foundation';
import { z } from 'zod';

const MIB = 1024 * 1024;

/** How messages are translated for hosts that do not know them. */
export const messageConfig = z
  .strictObject({
    answerLimitBytes: setting(
      z
        .int()
        .min(MIB)
        .max(128 * MIB)
        .default(32 * MIB),
      {
        env: 'MESSAGE_ANSWER_LIMIT_BYTES',
        doc: 'Largest answer, in bytes, that is translated for a caller of `/v1/messages` where its host knows only chat completions, or that comes as one JSON where a stream was asked for; a larger one is an error of the host. It is held as a whole, twice, and counts against `http.bodies.maxBytes`; streams are not.',
      },
    ),
  })
  .prefault({});

export type MessageConfig = z.output<typeof messageConfig>;
