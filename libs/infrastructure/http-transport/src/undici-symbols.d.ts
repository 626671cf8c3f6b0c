/** Not a part of undici's interface: see http2-streams.ts. */
declare module 'undici/lib/core/symbols.js' {
  const symbols: { readonly kHTTP2Session: symbol };
  export default symbols;
}
