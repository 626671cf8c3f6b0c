/** Not a part of undici's interface: see undici-internals.ts. */
declare module 'undici/lib/core/symbols.js' {
  const symbols: Readonly<Record<string, unknown>>;
  export default symbols;
}
declare module 'undici/lib/dispatcher/pool-base.js' {
  const symbols: Readonly<Record<string, unknown>>;
  export default symbols;
}
