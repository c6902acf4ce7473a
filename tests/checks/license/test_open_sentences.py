"""Sentences that may bear on rights: found unless harmless, and few in an ordinary card."""

from __future__ import annotations

import pytest

from readiness.checks.license.license_prose import restriction
from readiness.checks.license.open_sentences import MAX_OPEN, open_sentences
from tests import ROOT
from tests.checks.license import later_wordings
from tests.checks.license.free_wordings import HARMLESS, RIDERS, is_held

VALIDATION = (ROOT / "docs" / "validation.md").read_text("utf-8")
ORDINARY = """
# Example-7B-Instruct

<p align="center"><img src="logo.png" width="400"></p>

[Paper](https://arxiv.example/abs/2401.00001) | [Blog](https://example.org/blog) | [Demo](https://demo.example)

## Introduction

Example-7B-Instruct is a dense language model with 7.2 billion parameters. It was pretrained on
2T tokens of English, Chinese and code, and then tuned to follow instructions. Compared with the
previous release, it reasons better, makes fewer mistakes in mathematics, and handles contexts of
up to 131,072 tokens.

Highlights:

- **Strong reasoning**: 71.3 on the math benchmark, without any tools.
- **Long context**: the attention window can be extended with rope scaling.
- **Agents**: it calls functions in parallel and understands JSON schemas.

## Requirements

You need Python 3.10 or newer and a GPU with at least 16 GB of memory. The code must be run with
transformers 4.51 or later; with older versions you will see `KeyError: 'example'`.

## Quickstart

```python
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained("example/Example-7B-Instruct")
```

Only the chat template of the tokenizer is supported. Do not use greedy decoding, as it may lead to
endless repetitions. We recommend a temperature of 0.7.

### Deployment

The model can be served with vLLM:

```shell
vllm serve example/Example-7B-Instruct --max-model-len 32768
```

## Evaluation

| Benchmark | Example-7B | Other-7B |
|---|---|---|
| MMLU | 71.2 | 68.0 |
| GSM8K | 80.1 | 77.9 |

All scores were measured by us with the same prompts, and are averages of five runs.

## Limitations

The model may produce incorrect or biased text. It does not know events
after its training data was collected.

## License

The code and the weights are released under the Apache License 2.0. See
[LICENSE](LICENSE) for the full text.

## Citation

If you find our work helpful, please cite it.

```bibtex
@misc{example, title={Example}, year={2026}}
```

## Contact

If you have any questions, please open an issue or write to example@example.org.
"""
ORDINARY_CHINESE = """
# Example-7B

## 简介

Example-7B 是一个拥有 72 亿参数的稠密语言模型，在 2T 词元的中英文语料上训练。
与上一版本相比，推理能力更强，支持 128K 上下文。

## 快速开始

请先安装 transformers 4.51 以上版本。推理至少需要 16GB 显存。
不要使用贪心解码，否则可能出现重复输出。

## 评测

我们在 MMLU 和 GSM8K 上评测了模型，结果见下表。

## 许可证

代码和权重均采用 Apache 2.0 许可证发布，可免费商用。

## 引用

如果您觉得我们的工作有帮助，请引用我们的论文。
"""


FREELY = [each for each in RIDERS if not is_held(each)]


def heard(said: str) -> bool:
    return bool(restriction(said) or open_sentences(said))


@pytest.mark.parametrize("card", [ORDINARY, ORDINARY_CHINESE])
def test_an_ordinary_card_leaves_nothing_open(card: str) -> None:
    assert open_sentences(card) == []


@pytest.mark.parametrize("card", [ORDINARY, ORDINARY_CHINESE])
@pytest.mark.parametrize(
    "rider",
    ["You may look but not deploy.", "仅老师可用。", "Merchants: come see us.", "招待制です。"],
)
def test_a_rider_of_its_own_is_open_wherever_it_stands(card: str, rider: str) -> None:
    paragraphs = card.strip().split("\n\n")
    places = [at for at in range(1, len(paragraphs)) if paragraphs[at].startswith("## ")]
    found = [
        open_sentences("\n\n".join([*paragraphs[:at], rider, *paragraphs[at:]])) for at in places
    ]
    assert found == [[rider]] * len(places)


@pytest.mark.parametrize("rider", FREELY)
def test_a_rider_that_was_worded_freely_is_heard_or_open(rider: str) -> None:
    assert heard(rider)


def test_the_half_that_was_held_is_as_documented() -> None:
    said = [sum(map(heard, filter(is_held, each))) for each in (RIDERS, HARMLESS)]
    of = [sum(map(is_held, each)) for each in (RIDERS, HARMLESS)]
    assert f"| after | {said[0]} of {of[0]} | {said[1]} of {of[1]} |" in VALIDATION


def test_the_wordings_that_came_later_are_as_documented() -> None:
    riders, harmless = later_wordings.RIDERS, later_wordings.HARMLESS
    said = [sum(map(heard, each)) for each in (riders, harmless)]
    assert f"| after a look | {said[0]} of {len(riders)} | {said[1]} of {len(harmless)} |" in (
        VALIDATION
    )


RIDER_SHAPES = [
    "[Merchants have to come and see us first](https://maker.example/visit)",
    "[You may look but not deploy](#model)",
    "```text\nThe weights (all sizes) may be run by members only [of the club].\n```",
    "```python\n# members (and nobody else) may run it\nrun()\n```",
    "| Use | OK |\n|---|---|\n| Business | ❌ |",
    "| Use | Hobby | Business |\n|---|---|---|\n| Allowed | ✅ | ❌ |",
    "- Business: ❌",
    "⟦You may look but not deploy.⟧",
    "<You may look but not deploy>",
    "Code: Apache-2.0. Weights: elsewhere.",
    "代码采用 Apache-2.0；权重另见官网。",
    "Under MIT or, at your option, by members only.",
]
HARMLESS_SHAPES = [
    "[Paper](https://a.example/p) | [Blog](https://b.example) · [Demo](https://c.example)",
    "- [Quickstart](#quickstart)\n\n## Quickstart",
    "```python\n# The model (7B) is loaded once [and cached].\nmodel = load('m')\n```",
    "| | 1B | 7B |\n|---|---|---|\n| Tool calls | ❌ | ✅ |",
    "The code is under Apache-2.0, and so are the weights.",
    "The weights are under MIT or, at your option, the GPL-3.0.",
    "If you have any questions, please contact us at help@maker.example.",
    "## Acknowledgements",
]


@pytest.mark.parametrize("said", RIDER_SHAPES)
def test_a_rider_is_read_in_any_markup(said: str) -> None:
    assert heard(said)


@pytest.mark.parametrize("said", HARMLESS_SHAPES)
def test_the_same_markup_is_harmless_without_a_rider(said: str) -> None:
    assert not heard(said)


@pytest.mark.parametrize(
    ("said", "is_open"),
    [
        (
            "Publishing others' private information, such as a physical or email address, "
            "without their explicit permission",
            False,
        ),
        ("Publishing the weights, without their explicit permission", True),
        (
            "By contributing to Example, you agree that your contributions will be licensed "
            "under Apache 2.0.",
            False,
        ),
        (
            "By contributing to research only, you agree that your contributions will be "
            "licensed under Apache 2.0.",
            True,
        ),
    ],
)
def test_boilerplate_is_known_by_all_of_its_words(said: str, is_open: bool) -> None:
    assert heard(said) is is_open


def test_a_hostile_text_has_its_first_sentences_quoted() -> None:
    assert len(open_sentences("Nobody may run it.\n\n" * 9000)) == MAX_OPEN


@pytest.mark.parametrize(
    ("said", "is_open"),
    [
        ("Weights: Acme.", True),
        ("**Weights**: MIT", False),
        ("Weights: see the files tab.", False),
        ("权重：甲方", True),
        ("You `may` look but not deploy.", True),
        ("Set `max_tokens` before you start.", False),
    ],
)
def test_labels_of_weights_and_words_in_code_marks_are_read(said: str, is_open: bool) -> None:
    assert bool(open_sentences(said)) is is_open
