import { inTurn } from '@morgan/foundation';
import { BodyContent, type BodyContentOptions, MS_A_BYTE, SHORT_BYTES } from './body-content.ts';
import type { BodyDone } from './body-reader.ts';

/**
 * Makes of a body that is here in full what {@link BodyReader} makes of one that comes in pieces.
 * @param isGone whether the caller has left: nobody is there to be answered.
 */
export function readWholeBody(
  bytes: Buffer,
  options: BodyContentOptions & { readonly isGone: () => boolean },
  done: BodyDone,
): void {
  const read = () => readAtOnce(bytes, options, done);
  if (bytes.length <= SHORT_BYTES) read();
  else void inTurn(read, bytes.length * MS_A_BYTE);
}

function readAtOnce(
  bytes: Buffer,
  options: BodyContentOptions & { readonly isGone: () => boolean },
  done: BodyDone,
): void {
  const content = new BodyContent(options);
  const fail = (fault: unknown): void => {
    const explained = content.explain(fault);
    content.release();
    if (!options.isGone()) done(explained);
  };
  let body: unknown;
  try {
    content.take(bytes);
    body = content.finish();
  } catch (fault) {
    return fail(fault);
  }
  if (!(body instanceof Promise)) {
    content.release();
    if (!options.isGone()) done(null, body);
    return;
  }
  body.then((made: unknown) => {
    content.release();
    if (!options.isGone()) done(null, made);
  }, fail);
}
