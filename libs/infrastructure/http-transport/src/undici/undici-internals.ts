import core from 'undici/lib/core/symbols.js';
import poolBase from 'undici/lib/dispatcher/pool-base.js';

/**
 * A symbol under which undici keeps something that its interface does not give.
 * @throws Error when this version of undici has none of that name: what is built on it would fail in silence.
 */
export function undiciSymbol(symbols: Readonly<Record<string, unknown>>, name: string): symbol {
  const symbol = symbols[name];
  if (typeof symbol === 'symbol') return symbol;
  throw new Error(`undici has no symbol ${name} any more: this library must be adapted to its version.`);
}

/** The HTTP/2 session of a client that has one. */
export const kHTTP2Session: unique symbol = undiciSymbol(core, 'kHTTP2Session') as never;
/** The HTTP/1.1 parser of a socket. */
export const kParser: unique symbol = undiciSymbol(core, 'kParser') as never;
/** The clients of a pool. */
export const kClients: unique symbol = undiciSymbol(poolBase, 'kClients') as never;
/** True for a client that takes no request now. */
export const kNeedDrain: unique symbol = undiciSymbol(poolBase, 'kNeedDrain') as never;
export const kAddClient: unique symbol = undiciSymbol(poolBase, 'kAddClient') as never;
/** Picks the client for the next request, or makes one; nothing where all are busy. */
export const kGetDispatcher: unique symbol = undiciSymbol(poolBase, 'kGetDispatcher') as never;
