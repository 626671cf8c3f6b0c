import { encodeOperator } from './graph-node.ts';
import {
  ELEMENT,
  encodeBlock,
  encodeNumber,
  encodeText,
  encodeValue,
  ENTRY,
  EXTERNAL,
  GRAPH,
  MODEL,
  OPSET,
  TENSOR,
} from './onnx-proto.ts';
import type { StoredTensor } from '../safetensors-file.ts';

/** What the graph gives: the vectors of the tokens of each row. */
const TOKEN_VECTORS = 'token_embeddings';

/** A table in a file of safetensors. */
interface StoredTable {
  readonly embeddings: StoredTensor;
  readonly weights?: StoredTensor | undefined;
  readonly mapping?: StoredTensor | undefined;
}

/** Element types of onnx.proto, by what safetensors calls them. */
const TYPES: Readonly<Record<string, number>> = { F32: 1, I8: 3, I32: 6, I64: 7, F16: 10, F64: 11, BF16: 16 };
/** The first with all that is used here, and the version of the format that came with it. */
const [OPSET_VERSION, IR_VERSION] = [13, 7];

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
    encodeValue(GRAPH.input, { name: 'input_ids', type: ELEMENT.int32 }),
    encodeValue(GRAPH.output, { name: TOKEN_VECTORS, type: ELEMENT.float }),
    encodeText(GRAPH.name, 'static'),
    tensor('embeddings', embeddings),
    encodeOperator('Gather', ['embeddings', mapping ? 'rows' : 'input_ids'], ['looked-up']),
    encodeOperator('Cast', ['looked-up'], [own], { to: ELEMENT.float }),
  ];
  if (mapping)
    parts.unshift(tensor('mapping', mapping), encodeOperator('Gather', ['mapping', 'input_ids'], ['rows']));
  if (weights)
    parts.push(
      // A factor for all values of a vector: an axis of one.
      tensor('weights', weights, [...weights.shape, 1]),
      encodeOperator('Gather', ['weights', 'input_ids'], ['weight']),
      encodeOperator('Cast', ['weight'], ['factor'], { to: ELEMENT.float }),
      encodeOperator('Mul', [own, 'factor'], [scaled]),
    );
  return Buffer.concat([
    encodeNumber(MODEL.version, IR_VERSION),
    encodeBlock(MODEL.graph, Buffer.concat(parts)),
    encodeBlock(MODEL.opset, encodeNumber(OPSET.version, OPSET_VERSION)),
  ]);
}

function encodeTensor(name: string, { dtype, shape, start, bytes }: StoredTensor, location: string): Buffer {
  const place = { location, offset: String(start), length: String(bytes) };
  return Buffer.concat([
    ...shape.map((size) => encodeNumber(TENSOR.dimension, size)),
    encodeNumber(TENSOR.type, TYPES[dtype] ?? 0),
    encodeText(TENSOR.name, name),
    ...Object.entries(place).map(([key, value]) =>
      encodeBlock(
        TENSOR.external,
        Buffer.concat([encodeText(ENTRY.key, key), encodeText(ENTRY.value, value)]),
      ),
    ),
    encodeNumber(TENSOR.location, EXTERNAL),
  ]);
}
