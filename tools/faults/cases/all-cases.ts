import type { FaultCase } from '../fault-case.ts';
import { eachFault } from './each-fault.ts';

/** The suite. */
export const ALL_CASES: readonly FaultCase[] = [...eachFault];
