import type { TransportResponse } from '@morgan/http-transport';

/** An answer is larger than may be read into memory. It is no fault of the host, which has `status` to say how it is. */
export class AnswerTooLarge extends Error {
  constructor(
    readonly status: number,
    limitBytes: number,
  ) {
    super(`The answer is larger than ${limitBytes} bytes.`);
  }
}

/** The whole body, in one piece. @throws AnswerTooLarge as soon as that is known; TransportError when it breaks. */
export async function readAnswer(response: TransportResponse, limitBytes: number): Promise<Buffer> {
  const { status, headers, body } = response;
  const chunks: Buffer[] = [];
  let length = Number(headers['content-length'] ?? 0);
  if (length > limitBytes) {
    response.discard();
    throw new AnswerTooLarge(status, limitBytes);
  }
  length = 0;
  // Leaving the loop early destroys the body.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw new AnswerTooLarge(status, limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
}
