"""Where pytest's own reports wait until the run has a folder: JUnit and Allure name it at once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

FILES = ("junit.xml", "allure-results")


class Staging:
    """Has JUnit and Allure write to a place of ours, unless the user names another."""

    def __init__(self, config: pytest.Config) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="readiness-"))
        junit, allure = (str(self._place / each) for each in FILES)
        if config.pluginmanager.hasplugin("junitxml") and not config.option.xmlpath:
            config.option.xmlpath = junit
        if config.pluginmanager.hasplugin("allure_pytest") and not config.option.allure_report_dir:
            config.option.allure_report_dir = allure

    def move(self, folder: Path) -> None:
        """Move what was written to the run's folder."""
        for each in FILES:
            if (self._place / each).exists():
                shutil.move(self._place / each, folder / each)

    def discard(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._place, ignore_errors=True)
