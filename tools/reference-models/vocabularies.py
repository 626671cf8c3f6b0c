"""Tiny tokenizers, trained on the corpus below: WordPiece, BPE and Unigram."""

import io
import json
import tempfile

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "the quick brown fox jumps over the lazy dog and runs away from the old house",
    "a model of the service is loaded and the queue is full of texts that wait for a worker",
    "naïve café résumé über straße señor Ωμέγα здравствуй мир 日本語 中文 العربية हिन्दी",
    "Embedding servers turn words into vectors, vectors into numbers, numbers into answers.",
    "New York is a city; London is another one. Numbers: 0 1 2 3 4 5 6 7 8 9 10 2026.",
    "query: passage: search_query: represent this sentence for retrieval",
] * 4

MAX_LENGTH = 32


def wordpiece(lower, cls="[CLS]", sep="[SEP]"):
    specials = ["[PAD]", "[UNK]", cls, sep, "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=260, special_tokens=specials))
    return wrapped(tokenizer, cls, sep, pad="[PAD]", unk="[UNK]", mask="[MASK]")


def byte_bpe(cls="<s>", sep="</s>"):
    specials = [cls, "<pad>", sep, "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrapped(tokenizer, cls, sep, pad="<pad>", unk="<unk>", mask="<mask>")


def unigram():
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=260, special_tokens=specials, unk_token="<unk>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrapped(tokenizer, "<s>", "</s>", pad="<pad>", unk="<unk>", mask="<mask>")


def unigram_with_table():
    """As XLM-R: the table of sentencepiece before all else, which its class keeps, and a step that it drops."""
    return sentencepieces(
        normalizers.Sequence([normalizers.Precompiled(table()), normalizers.Replace(Regex(" {2,}"), " ")]),
        pad="<pad>", unk="<unk>", cls="<s>", sep="</s>", mask="<mask>",
    )


def table():
    """A few of the replacements that are in the tables of XLM-R and T5: wide letters, fractions, ligatures, white space, joiners."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    rules = {chr(code): chr(code - 0xFEE0) for code in range(0xFF21, 0xFF5B)}
    rules.update({"½": "1⁄2", "ﬁ": "fi", "\t": " ", "\n": " ", "\u3000": " ", "\u200d": ""})
    written = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for given, replaced in rules.items():
            file.write(f"{ord(given):X}\t{' '.join(f'{ord(letter):X}' for letter in replaced)}\n")
        file.flush()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_writer=written, vocab_size=200, hard_vocab_limit=False,
            normalization_rule_tsv=file.name,
        )
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(written.getvalue())
    return model.normalizer_spec.precompiled_charsmap


def sentencepieces(normalizer, pad, unk, cls, sep, mask):
    """As versions before 5 of transformers made a tokenizer of the files of sentencepiece."""
    specials = [pad, unk, cls, sep, mask]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=260, special_tokens=specials, unk_token=unk)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrapped(tokenizer, cls, sep, pad=pad, unk=unk, mask=mask)


def albert():
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD()]
    steps += [normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Replace(Regex(" {2,}"), " ")]
    return sentencepieces(normalizers.Sequence(steps), "<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")


def deberta_v2():
    steps = [normalizers.Strip(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    return sentencepieces(normalizers.Sequence(steps), "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def t5():
    """A closing token, and none before the text."""
    specials = ["<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=260, special_tokens=specials, unk_token="<unk>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", model_max_length=MAX_LENGTH
    )


def with_bytes():
    """As Llama and Gemma: marks for spaces, bytes for what the vocabulary does not have, a token before the text."""
    specials = ["<unk>", "<s>", "</s>", "<pad>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    marks = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = marks
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=460, special_tokens=[*specials, *(f"<0x{byte:02X}>" for byte in range(256))], limit_alphabet=40
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"] if token["content"] in specials]
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), marks])
    tokenizer.pre_tokenizer = None
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_max_length=MAX_LENGTH,
    )


def clip():
    """Byte-level BPE with marks behind words; as a file without the steps of its class."""
    specials = ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=specials[1]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=560, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.normalizer = None
    return wrapped(tokenizer, *specials, pad=specials[1], unk=specials[1], mask=specials[1])


def herbert():
    """Marks behind words, as CLIP; as a file that lowers, which its class does not."""
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(vocab_size=360, special_tokens=specials, end_of_word_suffix="</w>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrapped(tokenizer, "<s>", "</s>", pad="<pad>", unk="<unk>", mask="<mask>")


def causal():
    """As Qwen3-Embedding: byte-level BPE, an end-of-text token behind the text, padding on the left."""
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380, special_tokens=[end], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=end, eos_token=end, padding_side="left", model_max_length=MAX_LENGTH
    )


def paired(tokenizer):
    """As BERT does it: the second text of a pair, and the token behind it, are of type 1."""
    cls, sep = tokenizer.cls_token, tokenizer.sep_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, tokenizer.cls_token_id), (sep, tokenizer.sep_token_id)],
    )
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return tokenizer


def wrapped(tokenizer, cls, sep, pad, unk, mask):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B {sep}",
        special_tokens=[(cls, tokenizer.token_to_id(cls)), (sep, tokenizer.token_to_id(sep))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token=cls,
        sep_token=sep,
        pad_token=pad,
        unk_token=unk,
        mask_token=mask,
        model_max_length=MAX_LENGTH,
    )
