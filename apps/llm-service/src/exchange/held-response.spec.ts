import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type HostResponseBody, WholeBody } from '@morgan/llm-protocol';
import { heldResponse } from './held-response.ts';

const bodyOf = (...pieces: string[]) =>
  Readable.from(pieces.map((piece) => Buffer.from(piece))) as Readable & HostResponseBody;
const answered = (body: HostResponseBody, whole?: Buffer) => ({ host: 'one', body, whole });

describe('an answer that is held', () => {
  it('is what is here already', async () => {
    const whole = Buffer.from('all of it');
    const room = { limitBytes: 1, grow: () => undefined };
    expect(await heldResponse(answered(new WholeBody(whole), whole), room)).toBe(whole);
  });

  it('tells how long it is as it comes', async () => {
    const lengths: number[] = [];
    const body = bodyOf('abc', 'de', 'f');
    const bytes = await heldResponse(answered(body), {
      limitBytes: 6,
      grow: (length) => lengths.push(length),
    });
    expect(String(bytes)).toBe('abcdef');
    expect(lengths).toEqual([3, 5, 6]);
  });

  it('has a limit, behind which nothing is read', async () => {
    const body = bodyOf('abc', 'def');
    const room = { limitBytes: 5, grow: () => undefined };
    await expect(heldResponse(answered(body), room)).rejects.toMatchObject({
      code: 'host_error',
      message: expect.stringContaining('more than 5 bytes'),
    });
    expect(body.destroyed).toBe(true);
  });

  it('is given up where there is no room for it', async () => {
    const body = bodyOf('abc', 'def');
    const full = new Error('full');
    const grow = (length: number) => {
      if (length > 3) throw full;
    };
    await expect(heldResponse(answered(body), { limitBytes: 100, grow })).rejects.toBe(full);
    expect(body.destroyed).toBe(true);
  });
});
