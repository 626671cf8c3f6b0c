import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './pino-logger.ts';
import { RequestLog } from './request-log.ts';

function capture(level: 'info' | 'debug' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      raw.push(chunk.toString('utf8'));
      lines.push(JSON.parse(chunk.toString('utf8')) as Record<string, unknown>);
      done();
    },
  });
  return { lines, raw, logger: createLogger('test-service', { level, format: 'json' }, sink) };
}

const request = {
  requestId: 'r1',
  method: 'POST',
  route: '/v1/embeddings',
  status: 200,
  durationMs: 12.3456,
  aborted: false,
  notes: { host: 'gpu1' },
};

describe('the log', () => {
  it('is one JSON object a line, with service, level name and ISO time', () => {
    const { lines, logger } = capture();
    logger.info({ answer: 42 }, 'hello');
    logger.debug({}, 'too fine');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'info', service: 'test-service', answer: 42, msg: 'hello' });
    expect(lines[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('refuses a setting that is none, by its name', () => {
    const odd = { format: 'xml' } as unknown as { format: 'json' };
    expect(() => createLogger('test-service', odd)).toThrow('format');
  });

  it('writes errors with their causes but none of their further properties', () => {
    const { lines, logger } = capture();
    const cause = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      request: { authorization: 'Bearer k' },
    });
    logger.error({ error: new Error('outer', { cause }) }, 'failed');
    expect(lines[0]).toMatchObject({
      error: { message: 'outer', cause: { message: 'refused', code: 'ECONNREFUSED' } },
    });
    expect(JSON.stringify(lines)).not.toContain('Bearer');
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'causes in a ring',
      () => {
        const first = new Error('first');
        const second = new Error('second', { cause: first });
        first.cause = second;
        return first;
      },
      /first.*second.*\[further causes\]/,
    ],
    [
      'ten thousand causes',
      () => {
        let error = new Error('0');
        for (let depth = 1; depth < 10_000; depth += 1) error = new Error(String(depth), { cause: error });
        return error;
      },
      /9999.*9992.*\[further causes\]/,
    ],
    ['a message of 50 MB', () => new Error('x'.repeat(50_000_000)), /xxx…/],
    [
      'getters that throw',
      () =>
        Object.defineProperties(new Error('gone'), {
          message: {
            get: () => {
              throw new Error('no');
            },
          },
          cause: {
            get: () => {
              throw new Error('no');
            },
          },
          name: {
            value: {
              toString: () => {
                throw new Error('no');
              },
            },
          },
        }),
      /\[unreadable\]/,
    ],
    [
      'a proxy that throws at everything',
      () =>
        new Proxy(new Error('gone'), {
          get: () => {
            throw new Error('no');
          },
          getPrototypeOf: () => {
            throw new Error('no');
          },
          ownKeys: () => {
            throw new Error('no');
          },
        }),
      /test-service/,
    ],
  ])('survives an error with %s', (_, make, shown) => {
    for (const field of ['error', 'cause']) {
      const { lines, logger } = capture();
      logger.error({ [field]: make() }, 'failed');
      expect(lines).toEqual([expect.objectContaining({ msg: 'failed' })]);
      const line = JSON.stringify(lines[0]);
      expect(line).toMatch(shown);
      expect(line.length).toBeLessThan(200_000);
    }
  });

  it('writes a fault that was dealt with in one line', () => {
    const { lines, logger } = capture();
    logger.warn({ cause: new TypeError('outer', { cause: new Error('inner') }) }, 'passed over');
    expect(lines[0]?.['cause']).toBe('TypeError: outer <- Error: inner');
  });
});

describe('the request log', () => {
  it('writes one line per request with what the handler noted', () => {
    const { lines, logger } = capture();
    new RequestLog(logger).finished(request);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      msg: 'request',
      level: 'info',
      requestId: 'r1',
      host: 'gpu1',
      durationMs: 12.3,
    });
  });

  it('says whose request it was, where callers are told apart', () => {
    const { lines, logger } = capture();
    for (const caller of ['1b4f0e98', undefined]) new RequestLog(logger).finished({ ...request, caller });
    expect(lines.map((line) => line['caller'])).toEqual(['1b4f0e98', undefined]);
  });

  it('writes what pino would write', () => {
    const { lines, raw, logger } = capture();
    const notes = { attempts: { toJSON: () => [{ host: 'gpu1', ms: 3 }] }, model: 'a"b\\c\u{1f600}\ud800\n' };
    new RequestLog(logger).finished({ ...request, notes, errorCode: 'queue_full', aborted: true });
    const { level, time, service, msg, ...fields } = lines[0] as Record<string, string>;
    logger.info(fields, msg as string);
    const [own = '', its = ''] = raw.map((line) => line.replace(/"time":"[^"]*"/, ''));
    expect(own).toBe(its);
    expect([level, service, typeof time]).toEqual(['info', 'test-service', 'string']);
  });

  it('warns of server errors and whispers of probes', () => {
    const { lines, logger } = capture('debug');
    const log = new RequestLog(logger);
    log.finished({ ...request, status: 503, errorCode: 'queue_full' });
    log.finished({ ...request, route: '/readyz' });
    log.finished({ ...request, route: '/readyz', status: 503 });
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug']);
  });
});
