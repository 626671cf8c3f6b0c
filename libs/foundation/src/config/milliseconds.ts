import { z } from 'zod';
import { MAX_TIMER_MS } from '../timer.ts';

/** A setting that holds a time in milliseconds, as long as a timer can be. */
export const milliseconds = z.int().min(1).max(MAX_TIMER_MS);
