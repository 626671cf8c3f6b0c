import { describe, expect, it } from '@jest/globals';
import { parseFault } from './fault.ts';

describe('parseFault', () => {
  it.each([
    ['status:503', { kind: 'status', status: 503 }],
    ['refuse', { kind: 'refuse' }],
    ['reset-before-headers', { kind: 'reset-before-headers' }],
    ['stall-before-headers', { kind: 'stall-before-headers' }],
    ['stall-in-stream:0', { kind: 'stall-in-stream', afterChunks: 0 }],
    ['cut-in-stream:7', { kind: 'cut-in-stream', afterChunks: 7 }],
    ['bad-http', { kind: 'bad-http' }],
    ['slow:250', { kind: 'slow', delayMs: 250 }],
  ])('reads %s', (text, fault) => expect(parseFault(text)).toEqual(fault));

  it.each(['', 'status', 'status:', 'status:x', 'refuse:1', 'toString', 'cut-in-stream:-1'])(
    'refuses %j and lists the forms',
    (text) => expect(() => parseFault(text)).toThrow(/is not a fault; write one of: status:500, refuse, /),
  );
});
