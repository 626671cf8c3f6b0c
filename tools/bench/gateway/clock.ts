/** What stands in front of the moment at which a host said an event. */
export const SAID_AT = 'said at ';

/** Milliseconds of a clock that all processes of a machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
