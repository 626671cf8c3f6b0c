import { Tensor } from 'onnxruntime-node';
import type { GraphBatch } from './graph-runner.ts';
import { toInt64 } from './integers.ts';
import { ModelLoadError } from '../model-load-error.ts';

/** An input or output of a graph, as its file describes it. */
export interface GraphPort {
  readonly name: string;
  /** Of its values, such as `int64`. */
  readonly type: string;
  /** Numbers, and names where the size is free. */
  readonly shape: readonly (number | string)[];
}

/** What can be fed to a graph. */
const INPUT_ROLES = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'] as const;
type InputRole = (typeof INPUT_ROLES)[number];

type Feed = (batch: GraphBatch) => Tensor;

/**
 * Names that exporters give to what an input takes; used where exactly one input fits. A mask of padding is no usual one: it
 * may be 1 where an attention mask is 0.
 */
const USUAL_NAMES: Readonly<Record<InputRole, RegExp>> = {
  input_ids: /^(input|inputs|ids|tokens?|input_?tokens?|token_?ids|input_?(word_?)?ids)(:\d+)?$/i,
  attention_mask: /^(?!.*pad).*mask/i,
  token_type_ids: /(type|segment)/i,
  position_ids: /position/i,
};
const CACHE_NAME = /^past_key_values\./;

/** What an input takes that is fed the same number whatever the text is, such as that of a task. */
const NUMBER = /^\d{1,9}$/;
/** Axes of a batch: its rows, and their tokens. */
const MOST_AXES = 2;

/**
 * Finds out what each input of a graph takes: by the configuration, by its usual name, or because nothing else is left.
 * Caches of a generating model are fed empty.
 */
export class GraphInputs {
  readonly #feeds = new Map<string, Feed>();
  /** The only length that rows of token ids may have; undefined where they may have any. */
  readonly length: number | undefined;

  /**
   * @param mapping entries such as `input_ids=tokens`, or `4=task_id` for a number
   * @param firstPosition number of the first token, for graphs that are told positions
   * @throws ModelLoadError that lists the inputs
   */
  constructor(ports: readonly GraphPort[], mapping: readonly string[] = [], firstPosition = 0) {
    const roles = new Map<string, InputRole>();
    for (const entry of mapping) {
      const [role, name] = entry.split('=') as [InputRole, string | undefined];
      const port = ports.find((candidate) => candidate.name === name);
      const isNumber = NUMBER.test(role);
      const isKnown = isNumber ? (port?.shape.length ?? 0) <= MOST_AXES : INPUT_ROLES.includes(role);
      if (!port || !isKnown)
        throw new ModelLoadError(
          `the graph's inputs cannot be fed as "${entry}" says; ${describeInputs(ports)}`,
        );
      if (isNumber) this.#feeds.set(port.name, numberFeed(port, ports, Number(role)));
      else roles.set(port.name, role);
    }
    const isTaken = (role: InputRole) => [...roles.values()].includes(role);
    for (const role of INPUT_ROLES) {
      if (isTaken(role)) continue;
      const free = ports.filter(
        ({ name }) => !roles.has(name) && !this.#feeds.has(name) && !CACHE_NAME.test(name),
      );
      const exact = free.filter(({ name }) => name === role);
      const fitting = exact.length > 0 ? exact : free.filter(({ name }) => USUAL_NAMES[role].test(name));
      const only = ports.length === 1 && role === 'input_ids' ? ports : fitting;
      if (only.length === 1 && only[0]) roles.set(only[0].name, role);
    }
    if (!isTaken('input_ids'))
      throw new ModelLoadError(
        `nothing says which input of the graph takes token ids; ${describeInputs(ports)}`,
      );
    for (const port of ports) {
      if (!this.#feeds.has(port.name))
        this.#feeds.set(port.name, feedOf(port, roles.get(port.name), ports, firstPosition));
    }
    const length = ports.find(({ name }) => roles.get(name) === 'input_ids')?.shape[1];
    this.length = typeof length === 'number' && length > 0 ? length : undefined;
  }

  /** The tensors of a batch, by name of input. */
  tensors(batch: GraphBatch): Record<string, Tensor> {
    return Object.fromEntries([...this.#feeds].map(([name, feed]) => [name, feed(batch)]));
  }
}

function feedOf(
  port: GraphPort,
  role: InputRole | undefined,
  ports: readonly GraphPort[],
  firstPosition: number,
): Feed {
  if (role) {
    const valuesOf =
      role === 'position_ids' ? (batch: GraphBatch) => positionsOf(batch, firstPosition) : VALUES[role];
    const toTensor = integerTensor(port, ports);
    return (batch) => toTensor(valuesOf(batch), [batch.rows, batch.length]);
  }
  if (CACHE_NAME.test(port.name) && (port.type === 'float32' || port.type === 'float16')) {
    const { type, shape } = port;
    const sizes = (rows: number) =>
      shape.map((size, index) => (index === 0 ? rows : typeof size === 'number' ? size : 0));
    return ({ rows }) => new Tensor(type, [], sizes(rows));
  }
  throw new ModelLoadError(
    `the graph has the input "${port.name}", which nothing feeds; ${describeInputs(ports)}`,
  );
}

function numberFeed(port: GraphPort, ports: readonly GraphPort[], value: number): Feed {
  const toTensor = integerTensor(port, ports);
  return ({ rows, length }) => {
    const dims = port.shape.map((size, axis) =>
      typeof size === 'number' && size > 0 ? size : axis === 0 ? rows : length,
    );
    const count = dims.reduce((product, size) => product * size, 1);
    return toTensor(new Int32Array(count).fill(value), dims);
  };
}

const VALUES: Readonly<Record<Exclude<InputRole, 'position_ids'>, (batch: GraphBatch) => Int32Array>> = {
  input_ids: ({ ids }) => ids,
  attention_mask: ({ mask }) => mask,
  token_type_ids: ({ types }) => types,
};

/** Positions count real tokens only, so that padding on the left shifts nothing. */
function positionsOf({ rows, length, mask }: GraphBatch, first: number): Int32Array {
  const positions = new Int32Array(mask.length);
  for (let row = 0; row < rows; row += 1) {
    let next = first;
    for (let index = row * length; index < (row + 1) * length; index += 1) {
      if (mask[index]) positions[index] = next++;
    }
  }
  return positions;
}

type ToTensor = (values: Int32Array, dims: readonly number[]) => Tensor;

function integerTensor(port: GraphPort, ports: readonly GraphPort[]): ToTensor {
  switch (port.type) {
    case 'int64':
      return (values, dims) => new Tensor('int64', toInt64(values), dims);
    case 'int32':
      return (values, dims) => new Tensor('int32', values, dims);
    case 'float32':
      return (values, dims) => new Tensor('float32', Float32Array.from(values), dims);
    case 'bool':
      return (values, dims) => new Tensor('bool', Uint8Array.from(values), dims);
    default:
      throw new ModelLoadError(
        `the input "${port.name}" has a type that nothing feeds; ${describeInputs(ports)}`,
      );
  }
}

function describeInputs(ports: readonly GraphPort[]): string {
  const list = ports.map(({ name, type, shape }) => `${name} (${type} [${shape.join(', ')}])`).join(', ');
  return `its inputs are: ${list}. EMBEDDING_GRAPH_INPUTS names them, as in input_ids=NAME; known are ${INPUT_ROLES.join(', ')}, and a number, as in 4=NAME, for an input that takes the same for every text; an attention_mask is 1 for a token and 0 for padding`;
}
