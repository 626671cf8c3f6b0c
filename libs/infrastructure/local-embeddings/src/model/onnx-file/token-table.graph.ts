import { encodeBlock, encodeNumber, encodeOperator } from './graph-node.ts';
import type { StoredTensor } from '../safetensors-file.ts';

/** What the graph gives: the vectors of the tokens of each row. */
const TOKEN_VECTORS = 'token_embeddings';

/** A table in a file of safetensors. */
interface StoredTable {
  readonly embeddings: StoredTensor;
  readonly weights?: StoredTensor | undefined;
  readonly mapping?: StoredTensor | undefined;
}

// Field numbers of onnx.proto.
const MODEL = { version: 1, graph: 7, opset: 8 };
const OPSET_VERSION = 2;
const GRAPH = { name: 2, initializer: 5, input: 11, output: 12 };
const TENSOR = { dimension: 1, type: 2, name: 8, external: 13, location: 14 };
const ENTRY = { key: 1, value: 2 };
const VALUE = { name: 1, type: 2, tensor: 1, elements: 1 };

/** Element types of onnx.proto, by what safetensors calls them. */
const TYPES: Readonly<Record<string, number>> = { F32: 1, I8: 3, I32: 6, I64: 7, F16: 10, F64: 11, BF16: 16 };
const [FLOAT, INT32] = [1, 6];
const EXTERNAL = 1;
/** The first with all that is used here, and the version of the format that came with it. */
const [OPSET, IR_VERSION] = [13, 7];

/**
 * A graph that looks the vectors of tokens up. It refers to the tensors in their file, so that the runtime maps them into memory, and
 * nothing is read or copied.
 * @param location name of that file, beside which the graph is to be opened
 */
export function tokenTableGraph({ embeddings, weights, mapping }: StoredTable, location: string): Buffer {
  const tensor = (name: string, stored: StoredTensor, shape = stored.shape) =>
    encodeBlock(GRAPH.initializer, encodeTensor(name, { ...stored, shape }, location));
  const [own, scaled] = weights ? ['own', TOKEN_VECTORS] : [TOKEN_VECTORS, ''];
  const parts = [
    encodeValue(GRAPH.input, 'input_ids', INT32),
    encodeValue(GRAPH.output, TOKEN_VECTORS, FLOAT),
    encodeBlock(GRAPH.name, Buffer.from('static')),
    tensor('embeddings', embeddings),
    encodeOperator('Gather', ['embeddings', mapping ? 'rows' : 'input_ids'], ['looked-up']),
    encodeOperator('Cast', ['looked-up'], [own], { to: FLOAT }),
  ];
  if (mapping)
    parts.unshift(tensor('mapping', mapping), encodeOperator('Gather', ['mapping', 'input_ids'], ['rows']));
  if (weights)
    parts.push(
      // A factor for all values of a vector: an axis of one.
      tensor('weights', weights, [...weights.shape, 1]),
      encodeOperator('Gather', ['weights', 'input_ids'], ['weight']),
      encodeOperator('Cast', ['weight'], ['factor'], { to: FLOAT }),
      encodeOperator('Mul', [own, 'factor'], [scaled]),
    );
  return Buffer.concat([
    encodeNumber(MODEL.version, IR_VERSION),
    encodeBlock(MODEL.graph, Buffer.concat(parts)),
    encodeBlock(MODEL.opset, encodeNumber(OPSET_VERSION, OPSET)),
  ]);
}

function encodeTensor(name: string, { dtype, shape, start, bytes }: StoredTensor, location: string): Buffer {
  const place = { location, offset: String(start), length: String(bytes) };
  return Buffer.concat([
    ...shape.map((size) => encodeNumber(TENSOR.dimension, size)),
    encodeNumber(TENSOR.type, TYPES[dtype] ?? 0),
    encodeBlock(TENSOR.name, Buffer.from(name)),
    ...Object.entries(place).map(([key, value]) =>
      encodeBlock(
        TENSOR.external,
        Buffer.concat([
          encodeBlock(ENTRY.key, Buffer.from(key)),
          encodeBlock(ENTRY.value, Buffer.from(value)),
        ]),
      ),
    ),
    encodeNumber(TENSOR.location, EXTERNAL),
  ]);
}

function encodeValue(field: number, name: string, type: number): Buffer {
  const tensor = encodeNumber(VALUE.elements, type);
  const kind = encodeBlock(VALUE.type, encodeBlock(VALUE.tensor, tensor));
  return encodeBlock(field, Buffer.concat([encodeBlock(VALUE.name, Buffer.from(name)), kind]));
}
