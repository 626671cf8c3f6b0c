const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  // Redis means mebibytes by this.
  mb: 2 ** 20,
};

/** The number that a Kubernetes quantity or a Redis memory size stands for: `500m` is 0.5, `64Mi` is 67108864. */
export function parseQuantity(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = FACTORS[unit];
  return factor === undefined || digits === '' ? Number.NaN : Number(digits) * factor;
}
