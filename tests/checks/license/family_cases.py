"""Folders with the front matter and file names of model families: the expected verdict and reason.

The fields, their values and the names of files are those of the families; the prose is our own.
"""

from __future__ import annotations

from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.license.evidence import apache, canonical, card
from tests.checks.license.license_cases import NOT, READY, UNSURE, Case, of_gguf

MIT_TEXT = canonical("MIT")
PDF = b"%PDF-1.7\n\x00\x01"
OTHER_TEXT = "The licensor grants you a licence under the terms of this document.\n"
QWEN_RESEARCH = "Tongyi Qianwen RESEARCH LICENSE AGREEMENT"
UNKNOWN = "no known licence text"
PERSON = "a person must read it"
#: Prose of a card that has nothing to do with the licence.
USAGE = (
    "## Usage\n\nInstall the newest library and load the model.\n\n```python\nprint(model)\n```\n\n"
    "## Evaluation\n\n| MMLU | GSM8K |\n|---|---|\n| 71 | 80 |\n\nIt beats commercial models of its"
    " size, and reads license plates.\n\n## Citation\n\nPlease cite our report.\n"
)


def model(
    prose: str = "", *, text: str = "", files: dict[str, str | bytes] | None = None, **said: str
) -> dict[str, str | bytes]:
    """A model's folder: a card with this front matter and prose, and a text of the licence."""
    shown: dict[str, str | bytes] = {"README.md": f"{card(**said)}\n{USAGE}\n{prose}\n"}
    return shown | ({"LICENSE": text} if text else {}) | (files or {})


FAMILIES = [
    # Qwen
    Case(
        "qwen-1 7B: the code's Apache, the weights' agreement in a file of its own",
        UNSURE,
        "Tongyi-Qianwen, whose text is not known verbatim",
        model(
            "For commercial use, fill in the form.",
            text=apache(),
            license="other",
            license_name="tongyi-qianwen",
            files={"Tongyi Qianwen LICENSE AGREEMENT": "Tongyi Qianwen LICENSE AGREEMENT\n"},
        ),
    ),
    Case(
        "qwen-1 1.8B: a research agreement beside the code's Apache",
        UNSURE,
        "Tongyi-Qianwen-Research: research only",
        model(
            text=apache(),
            license="apache-2.0",
            files={QWEN_RESEARCH: f"{QWEN_RESEARCH}\n"},
        ),
    ),
    Case(
        "qwen-1: the agreement in Chinese alone tells",
        UNSURE,
        "README_CN.md says '商用须填写问卷。'",
        model(
            text=apache(),
            license="apache-2.0",
            files={"README_CN.md": "# 模型\n\n商用须填写问卷。\n"},
        ),
    ),
    Case(
        "qwen-2.5 7B: Apache throughout",
        READY,
        "",
        model(
            "The model is licensed under Apache 2.0.",
            text=apache(),
            license="apache-2.0",
            license_link="https://huggingface.co/Qwen/Qwen2.5-7B-Instruct/blob/main/LICENSE",
        ),
    ),
    Case(
        "qwen-2.5 3B: qwen-research",
        NOT,
        "Qwen-Research: research only",
        model(license="other", license_name="qwen-research", license_link="LICENSE"),
    ),
    Case(
        "qwen-2.5 72B: the Qwen licence",
        UNSURE,
        "qwen-mau-100m",
        model(license="other", license_name="qwen", license_link="LICENSE"),
    ),
    Case(
        "qwen-3: Apache, and prose that says so",
        READY,
        "",
        model(
            "All our open-weight models are licensed under Apache 2.0.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "qwen-3: prose alone, no text and no field",
        UNSURE,
        "a sentence alone is no licence",
        {"README.md": "# Example-3\n\nAll our open-weight models are licensed under Apache 2.0.\n"},
    ),
    # ChatGLM and GLM
    Case(
        "chatglm-6b: the code's Apache, MODEL_LICENSE for the weights",
        UNSURE,
        f"MODEL_LICENSE: {UNKNOWN}",
        model(text=apache(), license="apache-2.0", files={"MODEL_LICENSE": OTHER_TEXT}),
    ),
    Case(
        "chatglm-6b: registration before commercial use, in Chinese",
        UNSURE,
        "登记",
        model("权重对学术研究完全开放，登记后亦可免费商用。", text=apache(), license="apache-2.0"),
    ),
    Case(
        "chatglm2-6b: registration before commercial use, in English",
        UNSURE,
        "questionnaire",
        model(
            "Free commercial use is allowed after you complete a [questionnaire](form).",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "glm-4-9b: a licence of its own by name and link",
        UNSURE,
        "'glm-4' is no known licence",
        model(
            license="other",
            license_name="glm-4",
            license_link="https://huggingface.co/THUDM/glm-4-9b-chat/LICENSE",
        ),
    ),
    Case(
        "glm-4.5: MIT for weights by prose, the text that of the code",
        UNSURE,
        "the sources disagree: README.md says 'They are released under the MIT licence.'",
        {
            "LICENSE": apache(),
            "README.md": "# Example-4.5\n\nThey are released under the MIT licence.\n",
        },
    ),
    Case(
        "glm-4.5: MIT for weights, said in three languages",
        READY,
        "",
        model(
            "They are released under the MIT open-source licence and can be used commercially.",
            text=MIT_TEXT,
            license="mit",
            files={
                "README_zh.md": "采用 MIT 开源许可证发布，可用于商业用途。\n",
                "README_ja.md": "MITライセンスで公開され、商用利用が可能です。\n",
            },
        ),
    ),
    # DeepSeek
    Case(
        "deepseek-v3 of 2024: LICENSE-CODE and LICENSE-MODEL",
        UNSURE,
        "deepseek-use-restrictions",
        model(
            license="mit",
            files={
                "LICENSE-CODE": MIT_TEXT,
                "LICENSE-MODEL": "DEEPSEEK LICENSE AGREEMENT\nVersion 1.0\n",
            },
        ),
    ),
    Case(
        "deepseek-v3: mit beside license_name deepseek",
        UNSURE,
        "README.md says MIT, README.md (license_name) says DeepSeek",
        model(text=MIT_TEXT, license="mit", license_name="deepseek", license_link="LICENSE"),
    ),
    Case(
        "janus-pro: mit beside license_name deepseek and LICENSE-MODEL",
        UNSURE,
        "'LICENSE-MODEL' is no known licence",
        model(text=MIT_TEXT, license="mit", license_name="deepseek", license_link="LICENSE-MODEL"),
    ),
    Case(
        "janus: prose puts the weights under the model licence",
        UNSURE,
        "Janus models",
        model(
            "Use of Janus models is subject to the [Model License](LICENSE-MODEL).",
            text=MIT_TEXT,
            license="mit",
        ),
    ),
    Case(
        "deepseek-r1: MIT for code and weights",
        READY,
        "",
        model(
            "The code and the model weights are licensed under the [MIT License](LICENSE). The"
            " series supports commercial use and any derivative works.",
            text=MIT_TEXT,
            license="mit",
        ),
    ),
    Case(
        "deepseek-r1: a card that tells of siblings under Llama, and no name of one's own",
        UNSURE,
        "Llama3.1 license",
        {
            "LICENSE": MIT_TEXT,
            "README.md": "---\nlicense: mit\n---\n# DeepSeek-R1\n\n"
            "R1-Distill-Llama-8B comes under the [Llama3.1 license](https://example.com/LICENSE).\n",
        },
    ),
    Case(
        "deepseek-r1: the same card, of the model that the record names",
        READY,
        "",
        {
            "LICENSE": MIT_TEXT,
            "README.md": "---\nlicense: mit\nmodel_name: DeepSeek-R1\n---\n"
            "# DeepSeek-R1\n\n"
            "R1-Distill-Llama-8B comes under the [Llama3.1 license](https://example.com/LICENSE).\n",
        },
    ),
    # Yi, InternLM, Baichuan, Skywork
    Case(
        "yi-34b of 2023: a licence of its own by name and link",
        UNSURE,
        "'yi-license' is no known licence",
        model(license="other", license_name="yi-license", license_link="LICENSE"),
    ),
    Case(
        "yi-1.5: Apache twice, and the old name in the news",
        READY,
        "",
        model(
            "- Our Community License Agreement is [now Apache 2.0](MODEL_LICENSE_AGREEMENT.txt).",
            text=apache(),
            license="apache-2.0",
            files={"MODEL_LICENSE_AGREEMENT.txt": apache()},
        ),
    ),
    Case(
        "internlm2: Apache by the card, a form for commercial use in prose",
        UNSURE,
        "application form",
        model(
            "The code is Apache-2.0; to apply for a commercial licence, use the application form.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "internlm3: Apache for code and weights",
        READY,
        "",
        model(
            "Code and model weights are licensed under Apache-2.0.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "baichuan2: the community licence is a PDF",
        UNSURE,
        "no plain text",
        model(
            text=apache(),
            license="apache-2.0",
            files={"Community License for Baichuan2 Model.pdf": PDF},
        ),
    ),
    Case(
        "baichuan2: the community licence by a link in Chinese",
        UNSURE,
        "社区许可协议",
        model(
            "使用本模型需要遵循 [Apache 2.0](LICENSE) 和[《模型社区许可协议》](https://example.com/x.pdf)。",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "baichuan-7b: a name with a link, other",
        UNSURE,
        "is no known licence",
        model(license="other", license_name="baichuan-community"),
    ),
    Case(
        "skywork-13b: a PDF in Chinese",
        UNSURE,
        "模型社区许可协议.pdf",
        model(text=apache(), license="apache-2.0", files={"模型社区许可协议.pdf": PDF}),
    ),
    # Llama
    Case(
        "llama-2: gated, with a use policy",
        UNSURE,
        "llama-mau-700m",
        model(
            license="llama2",
            files={
                "USE_POLICY.md": "Do not.\n",
                "LICENSE.txt": "LLAMA 2 COMMUNITY LICENSE AGREEMENT\n",
            },
        ),
    ),
    Case("llama-3.1: the hub's field alone", UNSURE, "llama-naming", model(license="llama3.1")),
    Case(
        "llama-3.1: what the hub asks before access",
        UNSURE,
        "You agree to the terms below",
        model(
            text=apache(), license="apache-2.0", extra_gated_prompt="You agree to the terms below."
        ),
    ),
    Case(
        "llama-3.2: Europe left out, in prose",
        UNSURE,
        "European Union",
        model(
            "The licence does not apply to firms in the European Union.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "llama-4: the text, its conditions accepted by nobody",
        UNSURE,
        "llama-naming",
        model(text="LLAMA 4 COMMUNITY LICENSE AGREEMENT\n", license="other", license_name="llama4"),
    ),
    Case(
        "a tune of llama-3 that says MIT",
        UNSURE,
        "no evidence for it",
        model(text=MIT_TEXT, license="mit", base_model="meta-llama/Meta-Llama-3-8B"),
    ),
    Case(
        "a tune of llama-3 that says MIT, and names its base in prose alone",
        UNSURE,
        "the base models of the model are unknown",
        model("This is a fine-tuned version of Meta-Llama-3-8B.", text=MIT_TEXT, license="mit"),
    ),
    # Gemma, Mistral, Falcon, Phi
    Case("gemma: the hub's field", UNSURE, "gemma-remote-restriction", model(license="gemma")),
    Case(
        "gemma: the terms by a link beside apache-2.0",
        UNSURE,
        "gemma/terms",
        model(
            text=apache(), license="apache-2.0", license_link="https://ai.google.dev/gemma/terms"
        ),
    ),
    Case(
        "gemma: the code's Apache alone, as its repository has it",
        UNSURE,
        "no source states that this licence text covers the weights",
        {
            "LICENSE": apache(),
            "README.md": "# Example\n\nA library for JAX.\n",
            "record.yaml": "schema: readiness-license/1\nmodel: gemma\n"
            "evidence: [LICENSE, README.md]\nbase_models: []\n",
        },
    ),
    Case(
        "gemma: a prohibited use policy as a file",
        UNSURE,
        "restricts use",
        model(text=apache(), license="apache-2.0", files={"PROHIBITED_USE_POLICY.md": "Do not.\n"}),
    ),
    Case(
        "mistral-7b: Apache, and a hub form on privacy",
        READY,
        "",
        model(
            text=apache(),
            license="apache-2.0",
            extra_gated_description="How we handle personal data is on our privacy page.",
        ),
    ),
    Case(
        "mistral-large: mrl",
        NOT,
        "Mistral-Research: research only",
        model(
            license="other",
            license_name="mrl",
            license_link="https://mistral.ai/licenses/MRL-0.1.md",
        ),
    ),
    Case("codestral: mnpl", NOT, "research only", model(license="other", license_name="mnpl")),
    Case(
        "codestral: the non-production licence in prose of a repository that is Apache",
        UNSURE,
        "Non-Production",
        model(
            "- codestral has a custom licence, the [Non-Production License](MNPL-0.1.md).",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "falcon-180b: TII's licence",
        UNSURE,
        "falcon-royalty",
        model(
            license="other",
            license_name="falcon-llm-license",
            license_link="https://falconllm.tii.ae/falcon-terms-and-conditions.html",
        ),
    ),
    Case("falcon-7b: Apache", READY, "", model(text=apache(), license="apache-2.0")),
    Case(
        "phi-2: MIT",
        READY,
        "",
        model(
            text=MIT_TEXT,
            license="mit",
            license_link="https://huggingface.co/microsoft/phi-2/resolve/main/LICENSE",
        ),
    ),
    Case(
        "phi-1 of old: research only",
        UNSURE,
        "research",
        model("The model is released for research purposes only.", text=MIT_TEXT, license="mit"),
    ),
    # SmolLM, OLMo, BLOOM, StarCoder
    Case(
        "smollm2: Apache",
        READY,
        "",
        model(
            "License: [Apache 2.0](https://www.apache.org/licenses/LICENSE-2.0)",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "olmo: Apache, with responsible use in prose",
        UNSURE,
        "research and educational use",
        model(
            "It is intended for research and educational use only.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "olmo-2: Apache, made for research and for more",
        READY,
        "",
        model(
            "It is made for research and education, and may be used commercially.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "bloom: bigscience-bloom-rail-1.0",
        UNSURE,
        "rail-use-restrictions",
        model(license="bigscience-bloom-rail-1.0"),
    ),
    Case(
        "starcoder: bigcode-openrail-m",
        UNSURE,
        "rail-use-restrictions",
        model(license="bigcode-openrail-m", extra_gated_prompt="Please accept the agreement."),
    ),
    Case(
        "starcoder: the repository's Apache, and an agreement on the hub",
        UNSURE,
        "accept the agreement",
        model(
            "Before you use the model, go to the hub and accept the agreement.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    # Hunyuan, EXAONE, Command
    Case(
        "hunyuan-large: a community licence by name",
        UNSURE,
        "is no known licence",
        model(license="other", license_name="tencent-hunyuan-community"),
    ),
    Case(
        "hunyuan: LICENSE.txt with terms for a territory",
        UNSURE,
        UNKNOWN,
        model(license="apache-2.0", files={"LICENSE.txt": f"{OTHER_TEXT}Territory: not the EU.\n"}),
    ),
    Case(
        "exaone-3.5: NC",
        NOT,
        "EXAONE-NC: no commercial use",
        model(
            text="EXAONE AI Model License Agreement 1.1 - NC\n",
            license="other",
            license_name="exaone",
        ),
    ),
    Case(
        "exaone: the heading of the agreement in prose",
        UNSURE,
        "1.1 - NC",
        model(
            "## License: EXAONE AI Model License Agreement 1.1 - NC",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "command-r: cc-by-nc-4.0",
        NOT,
        "CC-BY-NC-4.0: no commercial use",
        model(license="cc-by-nc-4.0"),
    ),
    Case(
        "command-r: apache-2.0 by the field, NC by a tag",
        UNSURE,
        "cc-by-nc-4.0",
        model(text=apache(), license="apache-2.0", tags="[text-generation, cc-by-nc-4.0]"),
    ),
    # gpt-oss, Kimi, MiniMax, dots, MiniCPM, Granite
    Case(
        "gpt-oss: Apache with a USAGE_POLICY",
        UNSURE,
        "USAGE_POLICY restricts use",
        model(text=apache(), license="apache-2.0", files={"USAGE_POLICY": "Be good.\n"}),
    ),
    Case(
        "gpt-oss: the policy accepted",
        READY,
        "",
        model(
            "**Permissive Apache 2.0 license:** no copyleft.",
            text=apache(),
            license="apache-2.0",
            files={"USAGE_POLICY": "Be good.\n"},
        ),
        ("acceptable-use",),
    ),
    Case(
        "kimi-k2: modified-mit",
        UNSURE,
        "kimi-naming",
        model(license="other", license_name="modified-mit"),
    ),
    Case(
        "kimi-k2: the badge alone tells",
        UNSURE,
        "Modified_MIT",
        model(
            "[![License](https://example.com/badge/License-Modified_MIT-red)](LICENSE)",
            text=MIT_TEXT,
            license="mit",
        ),
    ),
    Case(
        "minimax-m2: headed MIT, with a condition at its end",
        UNSURE,
        "LICENSE is MIT, but adds",
        model(
            text=f"{MIT_TEXT}\nOur only change: above 100 million users show the name.\n",
            license="mit",
        ),
    ),
    Case(
        "dots.llm1: MIT beside an agreement",
        UNSURE,
        f"dots.llm1 LICENSE AGREEMENT: {UNKNOWN}",
        model(text=MIT_TEXT, license="mit", files={"dots.llm1 LICENSE AGREEMENT": OTHER_TEXT}),
    ),
    Case(
        "minicpm: Apache for code, a registration for commercial use of old",
        UNSURE,
        "questionnaire",
        model(
            "Commercial use is free after registration by a questionnaire.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "minicpm-4: Apache, under a heading Model LICENSE",
        READY,
        "",
        model(
            "## Model LICENSE\n\n* Models are released under the [Apache-2.0](LICENSE) License.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    Case(
        "granite-3: Apache, for research and commercial use",
        READY,
        "",
        model(
            "All models come under an Apache 2.0 license for both research and commercial use.",
            text=apache(),
            license="apache-2.0",
        ),
    ),
    # Files by any name
    *(
        Case(
            f"terms in {name}",
            UNSURE,
            f"{name}: {UNKNOWN}",
            model(text=apache(), license="apache-2.0", files={name: OTHER_TEXT}),
        )
        for name in (
            "TERMS.md",
            "EULA.txt",
            "COPYING",
            "MODEL_LICENSE.md",
            "Model License v1.0",
            "LICENSE.model",
            "WEIGHTS-LICENCE",
            "Terms_of_Service.txt",
            "AGREEMENT.txt",
            "RAIL.md",
            "使用协议.txt",
            "许可证",
            "利用規約.txt",
            "LICENCIA.txt",
            "LICENSES/Example-1.0.txt",
        )
    ),
    *(
        Case(
            f"terms that no program reads, in {name}",
            UNSURE,
            f"{name}: no plain text: {PERSON}",
            model(text=apache(), license="apache-2.0", files={name: PDF}),
        )
        for name in (
            "Example Community License.pdf",
            "LICENSE-MODEL.docx",
            "license.html",
            "授权协议.pdf",
            "LICENSE.png",
            "MODEL_CARD.pdf",
            "TERMS",
        )
    ),
    *(
        Case(
            f"a restriction in {name}",
            UNSURE,
            f"{name} says 'Non-commercial use only.'",
            model(
                text=apache(),
                license="apache-2.0",
                files={name: "# Example\n\nNon-commercial use only.\n"},
            ),
        )
        for name in (
            "README_CN.md",
            "README-zh.md",
            "README.txt",
            "README",
            "MODEL_CARD.md",
            "model-card.txt",
            "NOTICE",
            "DISCLAIMER.md",
            "USAGE.md",
            "模型卡.md",
        )
    ),
    Case(
        "files that tell of no licence",
        READY,
        "",
        model(
            text=apache(),
            license="apache-2.0",
            files={
                "license.py": "RIDER = 'non-commercial'\n",
                "tokenizer.json": "{}",
                "vocab.txt": "non\ncommercial\n",
                "USAGE.md": "Load the model.\n",
                "assets/license.svg": "<svg>non-commercial</svg>",
            },
        ),
    ),
    # Sources that disagree, recipes, two licences
    Case(
        "a re-upload whose header names another licence than its card",
        UNSURE,
        "the sources disagree",
        model(text=apache(), license="apache-2.0", files={"m.gguf": of_gguf("llama3.1")}),
    ),
    Case(
        "a header with an id and another name",
        UNSURE,
        "m.gguf (license_name) says DeepSeek",
        model(
            text=MIT_TEXT, license="mit", files={"m.gguf": of_gguf("mit", license__name="deepseek")}
        ),
    ),
    Case(
        "a header with an id and its own name",
        READY,
        "",
        model(
            text=MIT_TEXT,
            license="mit",
            files={"m.gguf": of_gguf("mit", license__name="MIT License")},
        ),
    ),
    Case(
        "a merge whose recipe names the models",
        UNSURE,
        "example/a, example/b: no evidence for it",
        model(
            text=apache(),
            license="apache-2.0",
            files={"mergekit_config.yml": "models:\n- model: example/a\n- model: example/b\n"},
        ),
    ),
    Case(
        "MIT or a paid licence: one may choose",
        READY,
        "",
        model(text=MIT_TEXT, license="MIT OR LicenseRef-Example"),
    ),
    Case(
        "MIT and Commons Clause in one file",
        UNSURE,
        "LICENSE is MIT, but adds",
        model(text=f"“Commons Clause” License Condition v1.0\n\n{MIT_TEXT}", license="mit"),
    ),
    Case(
        "MIT with one word more",
        UNSURE,
        "adds 'not'",
        model(text=MIT_TEXT.replace("is hereby granted", "is hereby not granted"), license="mit"),
    ),
    Case(
        "a translation instead of the text",
        UNSURE,
        UNKNOWN,
        model(
            license="mit", text="特此免费授予任何获得本软件副本的人不受限制地处理本软件的权利。\n"
        ),
    ),
    Case(
        "a name of its own beside an id that is known",
        UNSURE,
        "is no known licence",
        model(text=apache(), license="apache-2.0", license_name="example-terms-1.0"),
    ),
    Case(
        "the same licence by id, name and link",
        READY,
        "",
        model(
            text=apache(),
            license="apache-2.0",
            license_name="Apache License 2.0",
            license_link="https://www.apache.org/licenses/LICENSE-2.0",
        ),
    ),
    *(
        Case(
            f"a field of the card that speaks of a licence: {said}",
            verdict,
            why,
            {"LICENSE": apache(), "README.md": card(license="apache-2.0", **said)},
        )
        for said, verdict, why in (
            ({"weights_licence": "cc-by-nc-4.0"}, UNSURE, "no commercial use"),
            ({"license_details": "ask the maker"}, UNSURE, "'ask the maker' is no known licence"),
            ({"license_url": "https://x.example/example-terms"}, UNSURE, "is no known licence"),
            ({"license_url": "https://x.example/LICENSE"}, READY, ""),
            ({"terms": "for teaching only"}, UNSURE, "for teaching only"),
            ({"commercial_use": "false"}, UNSURE, "commercial use: no"),
            ({"language": "en  # for teaching only"}, UNSURE, "for teaching only"),
            ({"weights_licence": "apache-2.0"}, READY, ""),
            ({"license_details": "Apache-2.0, as in LICENSE"}, READY, ""),
            ({"commercial_use": "true"}, READY, ""),
            ({"language": "en  # and a little French"}, READY, ""),
        )
    ),
    *(
        Case(
            f"{name} has {text!r}",
            verdict,
            why,
            model(text=apache(), license="apache-2.0", files={name: text}),
        )
        for name, text, verdict, why in (
            ("config.json", '{"license": "cc-by-nc-4.0"}', UNSURE, "no commercial use"),
            ("generation_config.json", '{"_license": "x"}', UNSURE, "'x' is no known licence"),
            ("config.json", '{"_name_or_path": "other/Base-7B"}', UNSURE, "derived from other/"),
            ("config.json", f'{{"_name_or_path": "example/{MODEL}"}}', READY, ""),
            ("config.json", '{"_name_or_path": "/home/maker/out"}', READY, ""),
            ("config.json", '{"license": "apache-2.0"}', READY, ""),
        )
    ),
    *(
        Case(
            f"{name} says {text[:60]!r}",
            UNSURE if why else READY,
            why,
            model(text=apache(), license="apache-2.0", files={name: text}),
        )
        for name, text, why in (
            ("CONDITIONS.txt", "Firms need a permit: for teaching only.", "for teaching only"),
            ("须知.txt", "公司使用需缴费。", "公司使用需缴费"),
            ("legal/weights.txt", "For teaching only.", "For teaching only"),
            ("FAQ", "For teaching only.", "For teaching only"),
            ("index.html", "<h1>Example</h1><p>For teaching only.</p>", "For teaching only"),
            ("license.json", '{"weights": "for teaching only"}', UNKNOWN),
            ("a/b/c/LICENSE", OTHER_TEXT, UNKNOWN),
            ("a/b/c/d/e/f/g.txt", "For teaching only.", "too deep"),
            ("CHANGES.txt", "The second version is faster.", ""),
            (
                "index.html",
                "<h1>Example</h1><p>The model is for commercial use and research.</p>",
                "",
            ),
            ("vocab.txt", "only\nfor\nresearch\nand\nteaching\n", ""),
            ("words.txt", "only\nfor\nresearch\nand\nteaching\n", ""),
            ("THIRD_PARTY_LICENSES", MIT_TEXT, ""),
            ("weights", "\0" * 2**21, ""),
        )
    ),
    Case(
        "a licence of code by others is not that of the weights",
        UNSURE,
        "no licence text",
        model(license="mit", files={"THIRD_PARTY_LICENSES": MIT_TEXT}),
    ),
    Case(
        "more documents than are read",
        UNSURE,
        "too many",
        model(
            text=apache(),
            license="apache-2.0",
            files={f"notes/{number:03}.txt": "A note." for number in range(201)},
        ),
    ),
]
