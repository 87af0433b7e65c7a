"""torch, looked up at first use: without it, a test is skipped where it needs it, not before."""

import pytest


class _AtFirstUse:
    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        if name.startswith(("__", "_pytest", "pytest")):  # pytest looks for fixtures and mocks
            raise AttributeError(name)
        return getattr(pytest.importorskip(self._module), name)


torch = _AtFirstUse("torch")
functional = _AtFirstUse("torch.nn.functional")
jax = _AtFirstUse("jax")
optax = _AtFirstUse("optax")
keras = _AtFirstUse("keras")
tensorflow = _AtFirstUse("tensorflow")
