/** How long pieces of long work hold the event loop in one turn of it, all of them together. */
const TURN_MS = 5;

let spentMs = 0;
let isTurnCounted = false;
const waiting: (() => void)[] = [];

/**
 * Does a piece of long work, in this turn of the event loop where such work has not had its part of it yet, else in a later one, in
 * the order in which the pieces came: of a hundred large bodies that are read, or answers that are written, at the same time each
 * piece would be short, and everybody else would wait for the sum. A piece must be short itself.
 * @param leastMs what it counts at least, where others do the most of what it leads to.
 * @returns a promise only where the piece waits.
 */
export function inTurn<Result>(work: () => Result, leastMs = 0): Result | Promise<Result> {
  countTurn();
  if (spentMs < TURN_MS && waiting.length === 0) return timed(work, leastMs);
  const later = Promise.withResolvers<Result>();
  waiting.push(() => {
    try {
      later.resolve(timed(work, leastMs));
    } catch (error) {
      later.reject(error);
    }
  });
  return later.promise;
}

function timed<Result>(work: () => Result, leastMs: number): Result {
  const begun = performance.now();
  try {
    return work();
  } finally {
    spentMs += Math.max(performance.now() - begun, leastMs);
  }
}

function countTurn(): void {
  if (isTurnCounted) return;
  isTurnCounted = true;
  setImmediate(nextTurn);
}

function nextTurn(): void {
  isTurnCounted = false;
  spentMs = 0;
  while (spentMs < TURN_MS) {
    const next = waiting.shift();
    if (!next) return;
    countTurn();
    next();
  }
}
