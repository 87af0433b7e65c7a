"""Execute notebooks in parallel into the cache that the site and `make notebooks` share.

A cached result is valid for the code of its notebook, for the code of lossbook and for the versions
of the libraries that compute the numbers. jupyter-cache knows the first only, so the folder's name
carries the rest.
"""

import hashlib
import logging
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "numpy",
    "scipy",
    "torch",
    "scikit-learn",
    "statsmodels",
    "matplotlib",
    "altair",
    "pandas",
    "networkx",
)
KEPT = 4  # folders of earlier states of lossbook that stay, for changing back and forth


def toc_notebooks(root=ROOT):
    """Paths of the notebooks that `_toc.yml` lists, in its order."""
    site_map = parse_toc_yaml(root / "_toc.yml")
    paths = [root / (name.removesuffix(".ipynb") + ".ipynb") for name in site_map]
    return [path for path in paths if path.is_file()]


def fingerprint(root=ROOT):
    """A short hash of all that a notebook's outputs depend on besides its own code."""
    digest = hashlib.sha256(platform.python_version().encode())
    for library in LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{library} absent\n".encode())
    for path in sorted((root / "src" / "lossbook").rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def cache_folder(root=ROOT):
    """The folder of the cache for the present state of lossbook; of older ones a few are kept."""
    parent = root / "_build" / ".jupyter_cache"
    folder = parent / fingerprint(root)
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    others = sorted(
        (p for p in parent.iterdir() if p != folder), key=lambda p: p.stat().st_mtime, reverse=True
    )
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def execute(paths, folder, *, timeout=120, force=False):
    """Execute the notebooks that the cache does not hold, as many at a time as there are cores.

    Returns ``{path: traceback}`` of those that failed.
    """
    # one process a core, and one thread a process: several threads each are in each other's way
    # (concepts.ipynb beside another notebook on two cores: 124 s with two, 34 s with one)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cache = get_cache(str(folder))
    records = {str(path): cache.add_nb_to_project(str(path)) for path in paths}
    if force:
        for path in paths:
            while True:
                try:
                    cache.remove_cache(
                        cache.match_cache_notebook(cache.get_project_notebook(str(path)).nb).pk
                    )
                except KeyError:
                    break
    logger = logging.getLogger("notebooks")
    logger.setLevel(logging.INFO)  # one line when a notebook starts and one when it ends
    executor = load_executor("temp-parallel", cache, logger)
    # each notebook in a process of its own, in an empty folder
    result = executor.run_and_cache(filter_uris=list(records), timeout=timeout)
    return {
        uri: cache.get_project_record(uri).traceback or "it could not be started"
        for uri in (*result.excepted, *result.errored)
    }


def executed(path, folder):
    """The executed notebook and the seconds it took, from the cache."""
    cache = get_cache(str(folder))
    notebook = cache.get_project_notebook(str(path)).nb
    record = cache.match_cache_notebook(notebook)
    # the tags and captions are the file's own: the cache may hold older ones beside the same code
    _, merged = cache.merge_match_into_notebook(notebook, cell_meta=())
    return merged, record.data["execution_seconds"]
