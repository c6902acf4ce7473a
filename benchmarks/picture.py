"""The picture of the page in README: `python -m benchmarks.picture RUN docs/pictures/page.png`."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from readiness.evidence import run_folder
from readiness.reporters.page import page

SIZE = (1280, 1150)  # pixels


def picture(run: Path, to: Path) -> None:
    """Write the upper part of a run's page, as Chromium shows it, to a PNG file.

    Raises:
        CalledProcessError: Chromium failed.
        FolderError: There is no such run.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "readiness.html"
        file.write_text(page(run_folder.read(run)), "utf-8")
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", size]
        subprocess.run([*command, f"--screenshot={to}", file.as_uri()], check=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("to", type=Path, metavar="FILE", help="the PNG file to write")
    given = parser.parse_args(argv)
    picture(given.run, given.to.resolve())


if __name__ == "__main__":
    main()
