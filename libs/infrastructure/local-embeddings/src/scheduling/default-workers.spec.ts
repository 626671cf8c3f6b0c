import { describe, expect, it } from '@jest/globals';
import { defaultWorkers } from './default-workers.ts';

describe('the number of processes that run a graph', () => {
  it.each([
    ['cpu', 16, 20, 16],
    ['cpu', 16, 3, 3],
    ['webgpu', 16, 20, 1],
    ['cuda', 16, 20, 1],
  ] as const)('on %s, with %i CPUs and memory for %i, is %i', (device, cpus, room, expected) => {
    expect(defaultWorkers(device, cpus, room)).toBe(expected);
  });
});
