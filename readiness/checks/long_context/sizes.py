"""How long the documents are."""

from __future__ import annotations

#: 128K tokens: the prompt and the reply together.
CLAIM = 131_072
#: What a run that can show defects only makes do with.
SCALED = 16_384
#: The lowest rung of a ladder.
LOWEST = 4_096
#: How much longer than the window a prompt is that must not fit; more where tokens are estimated.
BEYOND, FAR_BEYOND = 1.1, 1.6
#: Characters of a page, and of one that shows defects only.
PAGE, SMALL_PAGE = 100_000, 10_000
#: What a reply may take, in tokens.
BUDGETS = {"log": 768, "report": 2048, "page": 256}
