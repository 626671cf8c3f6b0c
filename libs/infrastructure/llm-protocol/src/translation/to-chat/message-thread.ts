import { AppError } from '@morgan/foundation';
import { cannotTranslate, fieldsAt, refuseOthers } from '../translation-refused.ts';

/**
 * Anthropic can keep a conversation, so that the next request has only what is new. Nobody else does: that one begins is passed over,
 * and one that goes on is not to be found, behind which clients send all of it.
 * @throws AppError `thread_not_found`; `invalid_value` and `invalid_type` about a field.
 */
export function checkThread(given: unknown): void {
  const thread = fieldsAt(given, 'thread');
  refuseOthers(thread, new Set(['type', 'previous_message_id']), 'thread.');
  const { type } = thread;
  if (type === 'continue')
    throw new AppError(
      'thread_not_found',
      'The hosts of this model keep no threads: send the whole conversation.',
      {
        param: 'thread',
      },
    );
  if (type !== undefined && type !== 'create') throw cannotTranslate('thread.type', 'This value');
}
