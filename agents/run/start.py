"""What is checked before a run begins: before a model is loaded, and before there is a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_env.dialects import get_dialect
from pixel_env.registration import check_id, make_bare

from ..engines.settings import check_installed
from ..model.device import checked_device
from ..model.folders import check_model
from .config import RunConfig
from .stored_config import check_config


def check_start(config: RunConfig, folder: Path, may_differ: Sequence[str]) -> None:
    """Refuses at once what can't be run.

    Args:
        config: the settings, with the run's seed in every part.
        folder: the run's folder.
        may_differ: settings that may differ from those of a run that is there.

    Raises:
        ConfigError: the folder holds another run, or the dialect, the engine, the device, the model
            or an environment isn't there.
    """
    check_config(config, folder, may_differ)
    get_dialect(config.dialect)
    check_installed(config.engine)
    checked_device(config.loading.device)
    check_model(config.model)
    if config.warm_start_env:
        check_id(config.warm_start_env)
    make_bare(config.env, **config.env_args)
    make_bare(config.eval_env or config.env, **config.eval_args)
