import { expect, it } from '@jest/globals';
import { Upload } from './upload.ts';

it('an upload is no stream: undici would pipe it, and over HTTP/2 lose the beginning of some answers', () => {
  const upload = new Upload(Buffer.from('body'), {
    writeTimeoutMs: null,
    onStall: () => undefined,
    onSourceFault: () => undefined,
  });
  // By these two undici knows a stream. The loss itself comes too rarely to be waited for in a test.
  expect(upload).not.toHaveProperty('pipe');
  expect(upload).not.toHaveProperty('on');
});
