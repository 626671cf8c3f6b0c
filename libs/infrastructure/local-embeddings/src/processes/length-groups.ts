/**
 * What starting the graph once more costs, in padded tokens: with the bundled model a run takes 0.8 ms before its first
 * token and 0.05 ms a token, so that a few short texts are better padded than run apart.
 */
const RUN_COST_TOKENS = 16;

/**
 * Splits a batch into runs of texts of similar length. Every text of a run is padded to its longest one, so a single
 * long text would make thirty short ones as slow as itself. Finds the split with the least padded tokens.
 * @param rowsWithin texts that a run may hold when its longest has so many tokens; a run of one is always allowed
 * @returns indices into `lengths`, run by run; every index once
 */
export function groupByLength(
  lengths: readonly number[],
  rowsWithin: (longest: number) => number = () => Infinity,
): number[][] {
  const lengthOf = (index: number) => lengths[index] as number;
  const order = lengths.map((_, index) => index).sort((a, b) => lengthOf(a) - lengthOf(b));
  // cheapest[end] is the least cost of the `end` shortest texts; cutBefore[end] is where their last run starts.
  const cheapest = [0];
  const cutBefore = [0];
  for (let end = 1; end <= order.length; end += 1) {
    const longest = lengthOf(order[end - 1] as number);
    cheapest[end] = Infinity;
    for (let start = Math.max(0, end - Math.max(1, rowsWithin(longest))); start < end; start += 1) {
      const cost = (cheapest[start] as number) + (end - start) * longest + RUN_COST_TOKENS;
      if (cost < (cheapest[end] as number)) [cheapest[end], cutBefore[end]] = [cost, start];
    }
  }
  const groups: number[][] = [];
  for (let end = order.length; end > 0; end = cutBefore[end] as number) {
    groups.unshift(order.slice(cutBefore[end], end));
  }
  return groups;
}
