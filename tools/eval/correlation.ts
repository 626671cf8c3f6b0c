/** Pearson's correlation of two lists of equal length: 1 where one is a rising line over the other, NaN where one is constant. */
export function pearson(left: readonly number[], right: readonly number[]): number {
  const [meanLeft, meanRight] = [mean(left), mean(right)];
  let [together, ofLeft, ofRight] = [0, 0, 0];
  left.forEach((value, index) => {
    const [x, y] = [value - meanLeft, (right[index] as number) - meanRight];
    together += x * y;
    ofLeft += x * x;
    ofRight += y * y;
  });
  return together / Math.sqrt(ofLeft * ofRight);
}

/** Spearman's: Pearson's of the ranks; values that are equal share the mean of their ranks. */
export function spearman(left: readonly number[], right: readonly number[]): number {
  return pearson(ranksOf(left), ranksOf(right));
}

function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    const value = values[order[start] as number];
    let end = start;
    while (end < order.length && values[order[end] as number] === value) end += 1;
    for (let place = start; place < end; place += 1) ranks[order[place] as number] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
