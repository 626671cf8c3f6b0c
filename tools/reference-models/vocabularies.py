"""Tiny tokenizers, trained on the corpus below: WordPiece, byte-level BPE and Unigram."""

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
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
