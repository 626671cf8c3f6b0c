import protobuf from 'protobufjs';

/** ONNX element types used here (TensorProto.DataType). */
export const FLOAT = 1;
export const INT64 = 7;

/** A node attribute: a number becomes INT (FLOAT where `float` is named), a list becomes INTS. */
type Attribute = number | readonly number[] | { readonly float: number };

/** A named graph input or output; string sizes are dynamic axes. */
interface ValueInfo {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

// Opset 17 brought LayerNormalization; IR version 8 is the one released with it.
const OPSET_VERSION = 17;
const IR_VERSION = 8;

// The subset of the public ONNX schema that this model needs; field numbers and labels are those of onnx.proto.
const ONNX_SCHEMA = `
syntax = "proto2";
package onnx;
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3;
  repeated int64 ints = 8; optional int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3;
  optional string op_type = 4; repeated AttributeProto attribute = 5;
}
message TensorProto {
  repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9;
}
message TensorShapeProto {
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  repeated Dimension dim = 1;
}
message TypeProto {
  message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
  optional Tensor tensor_type = 1;
}
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2; optional string doc_string = 6;
  optional GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}`;

/** Collects nodes and initializers in call order, so the encoded bytes depend on nothing but the calls. */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #initializers = new Map<string, object>();
  #scope = '';

  /** Runs `build` with `name` in front of every node name it adds. */
  scoped<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = `${outer}${name}/`;
    const result = build();
    this.#scope = outer;
    return result;
  }

  /** Adds a node with one output and returns that output's name. */
  node(opType: string, input: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const name = `${this.#scope}${opType}_${this.#nodes.length}`;
    this.#add(name, opType, { input, output: [name], attributes });
    return name;
  }

  /** Adds a node with outputs named by the caller: for a graph output, or where there are several. */
  nodeTo(
    output: readonly string[],
    opType: string,
    input: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): void {
    this.#add(`${this.#scope}${opType}_${this.#nodes.length}`, opType, { input, output, attributes });
  }

  /** Adds a float32 initializer from little-endian bytes. */
  floats(name: string, dims: readonly number[], rawData: Uint8Array): string {
    return this.#initializer(name, { dims, data_type: FLOAT, raw_data: rawData });
  }

  /** Adds (or reuses) a float32 scalar. */
  scalar(value: number): string {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#initializer(`float:${value}`, { dims: [], data_type: FLOAT, raw_data: bytes });
  }

  /** Adds (or reuses) an int64 vector, or a scalar for a bare number. */
  ints(values: readonly number[] | number): string {
    const list = typeof values === 'number' ? [values] : values;
    const dims = typeof values === 'number' ? [] : [list.length];
    const bytes = Buffer.alloc(8 * list.length);
    list.forEach((value, index) => bytes.writeBigInt64LE(BigInt(value), 8 * index));
    const name = `int:${JSON.stringify(values)}`;
    return this.#initializer(name, { dims, data_type: INT64, raw_data: bytes });
  }

  /** Encodes the whole model file. */
  encode(name: string, input: readonly ValueInfo[], output: readonly ValueInfo[]): Uint8Array {
    const { root } = protobuf.parse(ONNX_SCHEMA, { keepCase: true });
    const model = root.lookupType('onnx.ModelProto');
    return model
      .encode({
        ir_version: IR_VERSION,
        producer_name: 'morgan',
        graph: {
          name,
          node: this.#nodes,
          initializer: [...this.#initializers.values()],
          input: input.map(toValueInfo),
          output: output.map(toValueInfo),
        },
        opset_import: [{ domain: '', version: OPSET_VERSION }],
      })
      .finish();
  }

  #add(
    name: string,
    opType: string,
    edges: { input: readonly string[]; output: readonly string[]; attributes: Record<string, Attribute> },
  ): void {
    const attribute = Object.entries(edges.attributes).map(toAttribute);
    this.#nodes.push({ name, op_type: opType, input: edges.input, output: edges.output, attribute });
  }

  #initializer(name: string, tensor: object): string {
    if (!this.#initializers.has(name)) this.#initializers.set(name, { name, ...tensor });
    return name;
  }
}

// AttributeProto.AttributeType numbers.
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function toAttribute([name, value]: [string, Attribute]): object {
  if (typeof value === 'number') return { name, i: value, type: ATTRIBUTE_INT };
  if ('float' in value) return { name, f: value.float, type: ATTRIBUTE_FLOAT };
  return { name, ints: value, type: ATTRIBUTE_INTS };
}

function toValueInfo({ name, type, shape }: ValueInfo): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } };
}
