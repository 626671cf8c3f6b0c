import { describe, expect, it } from '@jest/globals';
import { parseFault, seededStreamFault } from './fault.ts';

describe('parseFault', () => {
  it.each([
    ['status:503', { kind: 'status', status: 503 }],
    ['reset-before-headers', { kind: 'reset-before-headers' }],
    ['stall-before-headers', { kind: 'stall-before-headers' }],
    ['stall-in-stream:0', { kind: 'stall-in-stream', afterChunks: 0 }],
    ['cut-in-stream:7', { kind: 'cut-in-stream', afterChunks: 7 }],
    ['reset-in-stream:2', { kind: 'reset-in-stream', afterChunks: 2 }],
    ['end-in-stream:2', { kind: 'end-in-stream', afterChunks: 2 }],
    ['error-in-stream:2', { kind: 'error-in-stream', afterChunks: 2 }],
    ['malformed-event:2', { kind: 'malformed-event', afterChunks: 2 }],
    ['no-end-marker', { kind: 'no-end-marker' }],
    ['wrong-usage', { kind: 'wrong-usage' }],
    ['bad-http', { kind: 'bad-http' }],
    ['slow:250', { kind: 'slow', delayMs: 250 }],
  ])('reads %s', (text, fault) => expect(parseFault(text)).toEqual(fault));

  it.each(['', 'status', 'status:', 'status:x', 'refuse', 'bad-http:1', 'toString', 'cut-in-stream:-1'])(
    'refuses %j and lists the forms',
    (text) =>
      expect(() => parseFault(text)).toThrow(
        /is not a fault; write one of: status:500, reset-before-headers, /,
      ),
  );
});

describe('seededStreamFault', () => {
  it('gives every kind, at places within the answer, and the same again', () => {
    const faults = Array.from({ length: 80 }, (_, seed) => seededStreamFault(seed, 10));
    expect(new Set(faults.map(({ kind }) => kind)).size).toBe(8);
    const places = faults.flatMap((fault) => ('afterChunks' in fault ? fault.afterChunks : []));
    expect(new Set(places).size).toBeGreaterThan(5);
    expect(Math.max(...places)).toBeLessThan(10);
    expect(seededStreamFault(7, 10)).toEqual(faults[7]);
  });
});
