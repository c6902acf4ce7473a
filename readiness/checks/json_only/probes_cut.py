"""Probes of JSON that a token limit cuts."""

from __future__ import annotations

from dataclasses import replace

from readiness.checks.json_only.probe_families import FAMILIES, PROMPTS, JsonVariation
from readiness.checks.json_only.prompt_wording import shown
from readiness.probe import Probe

#: The token limit: the shortest record of its family takes more than ten times as many.
LIMIT = 32


def cut_probes(seed: int, trials: int) -> list[Probe]:
    """Records that take more tokens than the limit has: in words and by schema, whole and streamed.

    The plain form of a probe by schema is the same in words.
    """
    return [_cut_probe(seed, at) for at in range(trials)]


def _cut_probe(seed: int, at: int) -> Probe:
    slot = JsonVariation(f"json_only.cut/{seed}", "F6", at, at)
    draft = FAMILIES["F6"](slot)
    only = PROMPTS["only"]["schema"][slot.languages[0]] + shown("schema", draft.schema)
    said = [slot.choice("tasks"), *draft.stated_facts, *draft.remarks]
    told = Probe(
        f"json_only.cut.{at + 1:03}@v1",
        [{"role": "system", "content": only}, {"role": "user", "content": "\n".join(said)}],
        {"schema": draft.schema},
        {"stream": True} if at % 2 else {},
        budget=LIMIT,
        family="told",
    )
    if at // 2 % 2 == 0:
        return told
    strict = {"name": "record", "strict": True, "schema": draft.schema}
    wanted = {"response_format": {"type": "json_schema", "json_schema": strict}}
    return replace(
        told,
        parameters={**told.parameters, **wanted},
        family="schema",
        needs=frozenset({"json_schema"}),
        plain=told,
    )
