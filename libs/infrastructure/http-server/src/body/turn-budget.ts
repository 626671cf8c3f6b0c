/** Read of all bodies in one turn of the event loop: a few milliseconds, however many values there are in it. */
export const TURN_BYTES = 256 * 1024;

/** A body that is no longer than this, as most are, waits for no other. */
export const SHORT_BYTES = 16 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly read: () => void;
}

let leftBytes = TURN_BYTES;
let isTurnCounted = false;
const waiting: Waiting[] = [];

/**
 * Reads a piece of a body, in this turn of the event loop where the bodies of this process have not had their part of it yet, else
 * in a later one, in the order in which the pieces came: a hundred bodies that come together would each be short, and
 * everybody else would wait for the sum.
 * @returns whether it was read at once.
 */
export function readInTurn(bytes: number, read: () => void): boolean {
  countTurn();
  if (leftBytes <= 0 || waiting.length > 0) {
    waiting.push({ bytes, read });
    return false;
  }
  leftBytes -= bytes;
  read();
  return true;
}

function countTurn(): void {
  if (isTurnCounted) return;
  isTurnCounted = true;
  setImmediate(nextTurn);
}

function nextTurn(): void {
  isTurnCounted = false;
  leftBytes = TURN_BYTES;
  while (leftBytes > 0) {
    const next = waiting.shift();
    if (!next) return;
    countTurn();
    leftBytes -= next.bytes;
    next.read();
  }
}
