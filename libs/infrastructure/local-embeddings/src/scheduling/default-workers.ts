import type { Device } from '../model/embedding-model.types.ts';

/**
 * How many processes run a graph where nobody says it: one for each CPU, as far as there is memory for them. On a GPU one,
 * however many CPUs stand beside it: each further one would hold a context and a copy of the weights there, and they would
 * take turns with what one keeps busy.
 */
export function defaultWorkers(device: Device, cpus: number, roomInMemory: number): number {
  return device === 'cpu' ? Math.min(cpus, roomInMemory) : 1;
}
