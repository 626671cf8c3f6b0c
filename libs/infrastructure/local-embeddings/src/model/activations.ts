import type { ActivationName } from './plan/model-plan.ts';

/** The activations of torch that a Dense module may name, with torch's default arguments. */
export const ACTIVATION_FUNCTIONS: Readonly<Record<ActivationName, (x: number) => number>> = {
  Identity: (x) => x,
  Tanh: Math.tanh,
  ReLU: (x) => (x < 0 ? 0 : x),
  GELU: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  SiLU: (x) => x / (1 + Math.exp(-x)),
};

const SERIES_LIMIT = 3;
const TINY_TERM = 1e-17;

/** The error function, to 1e-10: its Taylor series near zero, a continued fraction beyond. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size > 6) return Math.sign(x);
  return Math.sign(x) * (size < SERIES_LIMIT ? erfSeries(size) : 1 - erfcFraction(size));
}

function erfSeries(x: number): number {
  let power = x;
  let sum = x;
  for (let n = 1; Math.abs(power) > TINY_TERM; n += 1) {
    power *= (-x * x) / n;
    sum += power / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** erfc by Lentz's continued fraction x + (1/2)/(x + 1/(x + (3/2)/(x + ...))), from the inside out. */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let n = 60; n > 0; n -= 1) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
