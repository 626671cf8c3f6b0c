import protobuf from 'protobufjs/minimal.js';

/** Field numbers of onnx.proto, as far as they are used here. */
export const MODEL = { version: 1, graph: 7, opset: 8 };
export const OPSET = { domain: 1, version: 2 };
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, shape: 13 };
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, doc: 6, domain: 7 };
export const ATTRIBUTE = { name: 1, integer: 3, tensor: 5, graph: 6, graphs: 11, type: 20 };
export const TENSOR = { dimension: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 };
export const ENTRY = { key: 1, value: 2 };
export const VALUE = { name: 1, type: 2, tensor: 1, elements: 1, shape: 2 };

/** Values of its enumerations: types of elements and of attributes, and that a tensor is in a file of its own. */
export const ELEMENT = { float: 1, int32: 6, int64: 7, boolean: 9 };
export const ATTRIBUTE_TYPE = { integer: 2, graph: 5 };
export const EXTERNAL = 1;

/** How protobuf marks a field that holds a message, a text or bytes. */
export const BLOCK = 2;

/** An input or output of a graph. */
export interface Value {
  readonly name: string;
  /** Of its elements. */
  readonly type: number;
  /** Whether it is one element, without axes. */
  readonly isScalar?: boolean;
}

/** A message in a field of another one. */
export function encodeBlock(field: number, content: Uint8Array): Buffer {
  const head = protobuf.Writer.create()
    .uint32(field * 8 + BLOCK)
    .uint32(content.length)
    .finish();
  return Buffer.concat([head, content]);
}

/** A text in a field of a message. */
export function encodeText(field: number, text: string): Buffer {
  return encodeBlock(field, Buffer.from(text));
}

/** A whole number in a field of a message. */
export function encodeNumber(field: number, value: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32(field * 8)
    .int64(value)
    .finish();
}

/** An input or output in a field of a graph. */
export function encodeValue(field: number, { name, type, isScalar = false }: Value): Buffer {
  const shape = isScalar ? [encodeBlock(VALUE.shape, Buffer.of())] : [];
  const tensor = Buffer.concat([encodeNumber(VALUE.elements, type), ...shape]);
  const kind = encodeBlock(VALUE.type, encodeBlock(VALUE.tensor, tensor));
  return encodeBlock(field, Buffer.concat([encodeText(VALUE.name, name), kind]));
}
