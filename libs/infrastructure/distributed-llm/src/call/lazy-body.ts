import type { HostStream } from '../streams/host-stream.ts';
import { StreamBody } from '../streams/stream-body.ts';
import { type AnswerBody, WholeBody } from './whole-body.ts';

/** @returns what makes a body of the content when it is first called: most readers take the content as it is. */
export function lazyBody({
  whole,
  stream,
  body,
}: {
  readonly whole?: Buffer | undefined;
  readonly stream?: HostStream | undefined;
  readonly body?: AnswerBody | undefined;
}): () => AnswerBody {
  let made = body;
  return () => (made ??= stream ? new StreamBody(stream) : new WholeBody(whole ?? Buffer.alloc(0)));
}
