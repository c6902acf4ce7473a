"""The project's own tests, in folders named like the packages they test."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
#: What lies beside a checkout of the project: recordings of real servers, and cases of others.
SHARED = ROOT.parent / "shared"
