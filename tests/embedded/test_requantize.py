"""Requantised files are those that the established library makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Quant
from gguf import GGUFReader, GGUFWriter, LlamaFileType
from gguf.quants import dequantize, quantize

from readiness.embedded.requantize import requantized

RANDOM = np.random.default_rng(1)
SPREAD = RANDOM.normal(size=(8, 64)).astype(np.float32)
#: Blocks that are all zero, all equal, and whose largest weight comes with either sign.
ODD = np.stack([np.full(32, each, np.float32) for each in (0, 1, -3)] + [np.linspace(-2, 2, 32)])
Q4_1 = {"spread": quantize(SPREAD, Quant.Q4_1), "odd": quantize(ODD.astype("f4"), Quant.Q4_1)}
KEPT = {"norm": SPREAD[0], "embedding": SPREAD}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[GGUFReader, GGUFReader]:
    """A small file with what headers have, and the same requantised."""
    before, after = (tmp_path_factory.mktemp("gguf") / name for name in ("a.gguf", "b.gguf"))
    written(before)
    after.write_bytes(requantized(before.read_bytes()))
    return GGUFReader(before), GGUFReader(after)


def written(path: Path) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_1)
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc", "说"])
    writer.add_array("tokenizer.ggml.token_type", [1, 1, 3])
    writer.add_float64("last", 0.5)
    writer.add_tensor("norm", KEPT["norm"])
    for name, blocks in Q4_1.items():
        writer.add_tensor(name, blocks, raw_dtype=Quant.Q4_1)
    writer.add_tensor("embedding", quantize(KEPT["embedding"], Quant.Q8_0), raw_dtype=Quant.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_tensors_in_q4_1_come_in_q4_0_byte_for_byte(files: tuple[GGUFReader, GGUFReader]) -> None:
    found = {each.name: each for each in files[1].tensors if each.name in Q4_1}
    assert [each.tensor_type for each in found.values()] == [Quant.Q4_0] * 2
    assert {name: each.data.tobytes() for name, each in found.items()} == {
        name: quantize(dequantize(blocks, Quant.Q4_1), Quant.Q4_0).tobytes()
        for name, blocks in Q4_1.items()
    }


def test_other_tensors_stay_as_they_are(files: tuple[GGUFReader, GGUFReader]) -> None:
    kept = [
        {e.name: (e.tensor_type, e.data.tobytes()) for e in file.tensors if e.name in KEPT}
        for file in files
    ]
    assert kept[0].keys() == KEPT.keys()
    assert kept[1] == kept[0]


def test_the_header_says_what_the_file_has_and_is_else_the_same(
    files: tuple[GGUFReader, GGUFReader],
) -> None:
    before, after = ({name: f.contents() for name, f in file.fields.items()} for file in files)
    assert before["general.file_type"] == LlamaFileType.MOSTLY_Q4_1
    assert after == before | {"general.file_type": LlamaFileType.MOSTLY_Q4_0}
