import { default as loaded } from '@jest/test-sequencer';

// TypeScript reads this package's types as CommonJS, Node its ES module.
const Sequencer = loaded as unknown as typeof loaded.default;
type Tests = ReturnType<InstanceType<typeof Sequencer>['sort']>;

/** Specs without sockets come first: kept connections of others would set timers on their fake clocks. */
export default class UnitSpecsFirst extends Sequencer {
  override sort(tests: Parameters<InstanceType<typeof Sequencer>['sort']>[0]): Tests {
    const isUnit = ({ path }: { readonly path: string }) => path.endsWith('.spec.ts');
    const sorted = super.sort(tests);
    if (sorted instanceof Promise) return sorted;
    return [...sorted.filter(isUnit), ...sorted.filter((test) => !isUnit(test))];
  }
}
