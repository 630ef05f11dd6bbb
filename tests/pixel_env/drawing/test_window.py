"""A window shows every step; without a screen, or without pygame, one sentence says so."""

import builtins
import copy
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from tiny_tasks import PictureTask

from pixel_env import ConfigError, PixelReasoningEnv, answer, zoom_in
from pixel_env.drawing.picture import PANEL_PX
from pixel_env.drawing.window import can_be_shown
from pixel_env.registration import flat_id

pygame = pytest.importorskip("pygame", reason="pip install 'pixel-reason[human]'")
SEARCH = "PixelReason-SyntheticSearch-v0"


@pytest.fixture(autouse=True)
def _a_screen_of_sdl_that_shows_nothing(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.quit()


def on_screen():
    """What the window shows, (H, W, 3)."""
    return pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)


@pytest.mark.parametrize("env_id", [SEARCH, flat_id("SyntheticSearch")])
def test_the_window_shows_what_rgb_array_draws(env_id):
    shown = gym.make(env_id, render_mode="human", options=True)
    drawn = gym.make(env_id, render_mode="rgb_array", options=True)
    zoom = zoom_in([0, 0, 0.5, 0.5]) if env_id == SEARCH else np.array([1, 0, 0, 0, 0])
    for env in (shown, drawn):
        env.reset(seed=1)
    assert shown.render() is None
    assert np.array_equal(on_screen(), drawn.render())
    for env in (shown, drawn):
        env.step(zoom)
    assert np.array_equal(on_screen(), drawn.render())
    shown.close()
    assert not pygame.display.get_init()
    shown.close()


def test_copies_go_on_without_the_window_of_the_original():
    env = gym.make(SEARCH, render_mode="human")
    env.reset(seed=1)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        twin.step(zoom_in([0, 0, 0.5, 0.5]))
        assert on_screen().shape == (PANEL_PX, 2 * PANEL_PX, 3)
    env.step(answer("A"))
    env.close()


def test_gymnasiums_own_window_and_play_show_it(monkeypatch):
    from gymnasium.utils.play import play  # asks for pygame when it is imported

    env = PixelReasoningEnv(PictureTask(), render_mode="rgb_array")
    env.metadata = {**env.metadata, "render_fps": 1000}
    env = gym.wrappers.HumanRendering(env)
    env.reset(seed=0)
    env.step(zoom_in([0, 0, 0.5, 0.5]))
    env.close()
    played = []
    keys = [pygame.K_z, pygame.K_a, pygame.K_ESCAPE]

    def pressed():
        """One key in each look at the keyboard: down, then up."""
        if not keys:
            return []
        key = keys.pop(0)
        return [pygame.event.Event(pygame.KEYDOWN, key=key)] + (
            [pygame.event.Event(pygame.KEYUP, key=pygame.K_z)] if key == pygame.K_a else []
        )

    monkeypatch.setattr(pygame.event, "get", pressed)
    play(
        gym.make(SEARCH, render_mode="rgb_array"),
        keys_to_action={"z": zoom_in([0, 0, 0.5, 0.5]), "a": answer("A")},
        callback=lambda before, after, action, *rest: played.append(action["operation"]),
        wait_on_player=True,
        fps=1000,
        seed=1,
    )
    assert played[:2] == [1, 0]


def test_without_pygame_one_sentence_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def missing(name, *rest, **named):
        if name.partition(".")[0] == "pygame":
            raise ImportError(name)
        return found(name, *rest, **named)

    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.setattr(builtins, "__import__", missing)
    assert not can_be_shown()
    with pytest.raises(ConfigError, match=r"pip install 'pixel-reason\[human\]'"):
        gym.make(SEARCH, render_mode="human")


def test_without_a_screen_one_sentence_says_so():
    code = f"import gymnasium, pixel_env\ngymnasium.make({SEARCH!r}, render_mode='human').reset()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False
    )
    shown = "render_mode='human' shows nothing: no screen was found"
    assert (shown in done.stderr) if done.returncode == 0 else ("needs a screen" in done.stderr)
