"""A JupyterLab and a browser, shared by all tests here: starting them takes longer than most tests.

Shared by this package, not by the whole session: as long as Playwright runs, asyncio takes its loop for a running one, and
other tests could not start theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
TOKEN = "for-this-test-only"
OURS = ROOT / "k8slab" / "lab" / "widgets" / "jupyter"
"""The settings that `make lab` runs with."""
QUIET = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # Cells that are scrolled away stay in the page, where tests can look at them.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
PLACES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OPEN = """
async path => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = await app.commands.execute('docmanager:open', { path });
    await panel.context.ready;
    await panel.revealed;
    await panel.sessionContext.ready;
    app.shell.activateById(panel.id);
}
"""
RUN_ALL = """
async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    return panel.content.widgets
        .filter(cell => cell.model.type === 'code')
        .map(cell => cell.model.outputs.toJSON())
        .flat()
        .filter(output => output.output_type === 'error')
        .map(output => output.ename + ': ' + output.evalue);
}
"""
EVALUATE = """
async expression => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const asked = { code: '', silent: true, store_history: false, user_expressions: { answer: expression } };
    const reply = await kernel.requestExecute(asked).done;
    const { answer } = reply.content.user_expressions;
    return answer.status === 'ok' ? answer.data['text/plain'] : 'error: ' + answer.evalue;
}
"""
CLOSE = """
async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.save();
    await panel.sessionContext.shutdown();
    panel.dispose();
}
"""
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"


class Lab:
    """JupyterLab in a browser, on a folder of its own."""

    def __init__(self, page: Any, folder: Path, address: str) -> None:
        self.page, self.folder, self.address = page, folder, address
        self.errors: list[str] = []
        """What went wrong in the page without being caught."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def start(self) -> None:
        self.page.goto(f"{self.address}/lab?token={TOKEN}")
        self.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell", timeout=60_000)

    def write(self, name: str, cells: list[str]) -> str:
        """A notebook of these cells, as a file."""
        code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
        notebook = {
            "cells": [code | {"id": f"cell-{number}", "source": source} for number, source in enumerate(cells)],
            "metadata": {
                "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook))
        return name

    def open(self, path: str) -> None:
        self.page.evaluate(OPEN, path)

    def run_all(self) -> list[str]:
        """Run all cells; the errors."""
        return self.page.evaluate(RUN_ALL)

    def python(self, expression: str) -> str:
        """What an expression is in the kernel, as its repr."""
        return self.page.evaluate(EVALUATE, expression)

    def close(self) -> None:
        """Save the notebook, end its kernel, close it."""
        self.page.evaluate(CLOSE)

    def theme(self, name: str) -> None:
        """`Light` or `Dark`."""
        self.page.evaluate(THEME, f"JupyterLab {name}")

    def eventually(self, condition: Callable[[], object]) -> bool:
        """Whether a condition about the page comes true; the page goes on meanwhile."""
        for _ in range(200):
            if condition():
                return True
            self.page.wait_for_timeout(25)
        return False


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory):
    """A Jupyter server on a copy of the notebooks: (its folder, its address)."""
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    folder = tmp_path_factory.mktemp("lab")
    for part in ("notebooks", "exercises"):
        shutil.copytree(ROOT / part, folder / part)
    overrides = folder / "config" / "labconfig"
    overrides.mkdir(parents=True)
    (overrides / "default_setting_overrides.json").write_text(json.dumps(QUIET))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: str(folder / place) for name, place in PLACES.items()}
    environment |= {"JUPYTER_CONFIG_PATH": str(OURS), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "jupyter-lab"),
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert eventually(listens, within=60)
        yield folder, f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="package")
def browser(jupyter):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(jupyter, browser):
    """JupyterLab, loaded once: each test opens a notebook in it."""
    folder, address = jupyter
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    lab = Lab(page, folder, address)
    lab.start()
    return lab


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory) -> Path:
    """Where pictures of the page go; K8SLAB_SCREENSHOTS=folder keeps them."""
    folder = Path(os.environ.get("K8SLAB_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
