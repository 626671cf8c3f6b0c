import type { FaultCase } from '../fault-case.ts';
import { atDefaults, eachFault } from './each-fault.ts';
import { outages } from './outages.ts';
import { probeCases } from './probe-cases.ts';
import { requests } from './requests.ts';
import { several } from './several.ts';
import { streamFaults } from './stream-faults.ts';

/** The suite. */
export const ALL_CASES: readonly FaultCase[] = [
  ...eachFault,
  ...probeCases,
  ...outages,
  ...several,
  ...requests,
  ...streamFaults,
  ...atDefaults,
];
