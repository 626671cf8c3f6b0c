import { createHash } from 'node:crypto';

/** A Lua script that Redis runs as one step. It is sent by its digest, and as text only to a Redis that has not seen it. */
export class RedisScript {
  readonly digest: string;

  constructor(readonly source: string) {
    this.digest = createHash('sha1').update(source).digest('hex');
  }
}
