import type { JsonObject } from '@morgan/foundation';
import type { DialectName } from '../../dialects/dialect.ts';
import { CompletionSeam } from './completion-seam.ts';
import { MessageSeam } from './message-seam.ts';
import type { Seam } from './seam.ts';

/**
 * The seam behind a response's last event; none where no other can go on: behind what is neither text nor thought, or in a
 * dialect whose last event repeats the whole response.
 */
export function seamOf(dialect: DialectName, first: JsonObject, last: JsonObject): Seam | undefined {
  if (dialect === 'chat' || dialect === 'completions') return new CompletionSeam(first);
  return dialect === 'messages' ? MessageSeam.behind(last) : undefined;
}
