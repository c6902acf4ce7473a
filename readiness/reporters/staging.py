"""Where pytest's own reports wait until the run has a folder: JUnit and Allure name it at once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

JUNIT, ALLURE = "junit.xml", "allure-results"


class Staging:
    """Has JUnit and Allure write for the run, unless the user names another place."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._place = Path(tempfile.mkdtemp(prefix="readiness-"))
        self._junit = config.pluginmanager.hasplugin("junitxml") and not config.option.xmlpath
        if self._junit:
            config.option.xmlpath = str(self._place / JUNIT)
        if config.pluginmanager.hasplugin("allure_pytest") and not config.option.allure_report_dir:
            config.option.allure_report_dir = str(self._place / ALLURE)

    def settle(self, folder: Path) -> None:
        """Let JUnit's report be written where the run is, now that there is a folder."""
        if self._junit:
            for plugin in self._config.pluginmanager.get_plugins():
                if type(plugin).__name__ == "LogXML":
                    plugin.logfile = str(folder / JUNIT)

    def move(self, folder: Path) -> None:
        """Move what Allure was told to the run's folder."""
        if (self._place / ALLURE).exists():
            shutil.move(self._place / ALLURE, folder / ALLURE)

    def discard(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._place, ignore_errors=True)
