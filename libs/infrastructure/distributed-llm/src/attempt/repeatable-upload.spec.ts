import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RepeatableUpload } from './repeatable-upload.ts';

const uploadOf = (pieces: readonly string[], keepBytes = 1_000) =>
  new RepeatableUpload(Readable.from(pieces.map((piece) => Buffer.from(piece))), undefined, keepBytes);

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

describe('an upload', () => {
  it('is sent as often as it is kept', async () => {
    const upload = uploadOf(['one ', 'two ', 'three']);
    const first = upload.send();
    await first.next();
    await first.return();
    expect([await textOf(upload.send()), await textOf(upload.send())]).toEqual([
      'one two three',
      'one two three',
    ]);
    expect(upload.canRepeat).toBe(true);
  });

  it('is let go where it is longer', async () => {
    const upload = uploadOf(['12345', '67890', 'abcde'], 8);
    expect(await textOf(upload.send())).toBe('1234567890abcde');
    expect(upload.canRepeat).toBe(false);
  });

  it('loses nothing to a host that gave up while it waited', async () => {
    const source = new Readable({ read: () => undefined });
    const upload = new RepeatableUpload(source, undefined, 1_000);
    const given = upload.send();
    const waiting = given.next();
    const next = textOf(upload.send());
    const left = given.return();
    source.push('one');
    source.push(null);
    expect(await next).toBe('one');
    await Promise.all([waiting, left]);
  });

  it('is read ahead no further than it is kept', async () => {
    const upload = uploadOf(['1234', '5678', '90'], 8);
    let seen = '';
    expect(await upload.peek((chunk) => ((seen += chunk.toString()), false))).toBe(false);
    expect([seen, upload.isComplete]).toEqual(['12345678', false]);
    expect(await textOf(upload.send())).toBe('1234567890');
  });

  it('breaks with the fault of its source', async () => {
    const source = new Readable({ read: () => undefined });
    const upload = new RepeatableUpload(source, undefined, 1_000);
    const read = textOf(upload.send());
    source.destroy(new Error('gone'));
    await expect(read).rejects.toThrow('gone');
  });

  it('has another model where a target does, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.string({ minLength: 1 }),
        fc.string(),
        fc.array(fc.nat(99)),
        async (a, b, c, cuts) => {
          const whole = Buffer.from(a + b + c);
          const at = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((x, y) => x - y);
          const pieces = at.map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
          const source = Readable.from(pieces.filter(({ length }) => length > 0));
          const upload = new RepeatableUpload(source, whole.length, 1_000_000);
          const start = Buffer.byteLength(a);
          upload.modelAt = [start, start + Buffer.byteLength(b)];
          const sent: Buffer[] = [];
          for await (const chunk of upload.send('other')) sent.push(chunk);
          expect(Buffer.concat(sent)).toEqual(Buffer.from(`${a}other${c}`));
          expect(Buffer.concat(sent)).toHaveLength(upload.lengthWith('other') as number);
        },
      ),
    );
  });
});
