/** How long pieces of long work hold the event loop in one turn of it, all of them together. */
const TURN_MS = 5;

let spentMs = 0;
let isTurnCounted = false;
const waiting: (() => void)[] = [];

/**
 * Does a piece of long work, in this turn of the event loop where such work has not had its part of it yet, else in a later one, in
 * the order in which the pieces came: of fifty large answers that are written at the same time each piece would be short, and
 * everybody else would wait for the sum.
 */
export function inTurn<Result>(work: () => Result): Result | Promise<Result> {
  countTurn();
  if (spentMs < TURN_MS && waiting.length === 0) return timed(work);
  const later = Promise.withResolvers<Result>();
  waiting.push(() => {
    try {
      later.resolve(timed(work));
    } catch (error) {
      later.reject(error);
    }
  });
  return later.promise;
}

function timed<Result>(work: () => Result): Result {
  const begun = performance.now();
  try {
    return work();
  } finally {
    spentMs += performance.now() - begun;
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
