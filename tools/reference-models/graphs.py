"""ONNX graphs of tiny transformers with random weights."""

import onnx
import torch


class TokenVectors(torch.nn.Module):
    """Token ids to token vectors; with `rest`, the modules behind it as well: a graph that pools by itself."""

    def __init__(self, model, names, rest=()):
        super().__init__()
        self.model = model
        self.names = names
        self.rest = torch.nn.ModuleList(rest)

    def forward(self, *values):
        inputs = dict(zip(self.names, values))
        hidden = self.model(**inputs).last_hidden_state
        if len(self.rest) == 0:
            return hidden
        features = {"token_embeddings": hidden, "attention_mask": inputs["attention_mask"]}
        for module in self.rest:
            features = module(features)
        return features["sentence_embedding"]


def export(model, path, *, names=None, output="last_hidden_state", rest=(), integers=torch.int64):
    names = names or ["input_ids", "attention_mask"]
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    example = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 1, 1]], dtype=integers)
    mask = torch.tensor([[1] * 5, [1, 1, 1, 0, 0]], dtype=integers)
    values = {"input_ids": example, "attention_mask": mask, "token_type_ids": torch.zeros_like(example)}
    values["position_ids"] = torch.arange(2, 7, dtype=integers).repeat(2, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch", 1: "length"} for name in names}
    axes[output] = {0: "batch"} if rest else {0: "batch", 1: "length"}
    torch.onnx.export(
        TokenVectors(model, names, rest).eval(),
        tuple(values[name] for name in names),
        str(path),
        input_names=names,
        output_names=[output],
        dynamic_axes=axes,
        opset_version=18,
        dynamo=False,
    )
    strip(path)


class Logits(torch.nn.Module):
    """Token ids to the scores of a classifier."""

    def __init__(self, model, names):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *values):
        return self.model(**dict(zip(self.names, values))).logits


def export_logits(model, path, names):
    example = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 1, 1]])
    mask = torch.tensor([[1] * 5, [1, 1, 1, 0, 0]])
    values = {"input_ids": example, "attention_mask": mask, "token_type_ids": torch.zeros_like(example)}
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch", 1: "length"} for name in names}
    torch.onnx.export(
        Logits(model, names).eval(),
        tuple(values[name] for name in names),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "batch"}},
        opset_version=18,
        dynamo=False,
    )
    strip(path)


def strip(path):
    """Takes out what no runtime reads: names of Python code make up most of a tiny graph."""
    graph = onnx.load(str(path))
    graph.ClearField("metadata_props")
    for node in graph.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        node.ClearField("name")
    graph.graph.ClearField("value_info")
    rename(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def rename(graph):
    kept = {value.name for value in [*graph.input, *graph.output]}
    short = {}

    def name_of(name):
        if name == "" or name in kept:
            return name
        return short.setdefault(name, f"v{len(short)}")

    def visit(part):
        for tensor in part.initializer:
            tensor.name = name_of(tensor.name)
        for node in part.node:
            node.input[:] = [name_of(name) for name in node.input]
            node.output[:] = [name_of(name) for name in node.output]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    visit(attribute.g)
                    for value in attribute.g.output:
                        value.name = name_of(value.name)

    visit(graph)


def spread(path, data_name):
    """Moves the weights into a file of their own, under a name that no convention knows."""
    graph = onnx.load(str(path))
    onnx.save(graph, str(path), save_as_external_data=True, location=data_name, size_threshold=64)


def without_mask(path):
    """Takes the attention mask away: every token counts, padding too."""
    graph = onnx.load(str(path))
    part = graph.graph
    kept = [value for value in part.input if value.name != "attention_mask"]
    nodes = list(part.node)
    ones = onnx.helper.make_tensor("one", onnx.TensorProto.INT64, [1], [1])
    shape = onnx.helper.make_node("Shape", ["input_ids"], ["shape_of_ids"])
    mask = onnx.helper.make_node("ConstantOfShape", ["shape_of_ids"], ["attention_mask"], value=ones)
    part.ClearField("input")
    part.ClearField("node")
    part.input.extend(kept)
    part.node.extend([shape, mask, *nodes])
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def for_one_text(path):
    """A batch has exactly one row, as exporters leave it who are told of no dynamic axis."""
    graph = onnx.load(str(path))
    for value in [*graph.graph.input, *graph.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(graph, str(path))


def for_one_length(path, length=32):
    """Rows have exactly `length` tokens, as exporters leave it who are told of no dynamic axis."""
    graph = onnx.load(str(path))
    for value in [*graph.graph.input, *graph.graph.output]:
        value.type.tensor_type.shape.dim[1].dim_value = length
    onnx.save(graph, str(path))


def quantize(path, target):
    """Weights in 8 bits, and activations by numbers that are measured over the whole batch."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(path), str(target), weight_type=QuantType.QInt8)
