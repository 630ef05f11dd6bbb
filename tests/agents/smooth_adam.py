"""Adam steps that can be compared: rounding in a gradient stays rounding in a weight."""

from contextlib import contextmanager

from torch.optim.optimizer import register_optimizer_step_pre_hook

EPSILON = 1e-3
"""Of Adam, against 1e-8 by default: gradients are clipped to a norm of about 1, and an entry's
rounding errors, some 1e-8 of that, are far below it."""


@contextmanager
def smooth_steps():
    """Makes Adam's step a smooth function of the gradient, also where an entry is nearly 0.

    Adam divides by the gradient's own size. With its usual epsilon an entry that is 0 up to
    rounding takes a whole step of either sign, which depends on the processor and on how the
    sums are split; with this one an error in the gradient grows by learning rate / epsilon only.
    """

    def widen(optimizer, args, kwargs):
        for group in optimizer.param_groups:
            group["eps"] = EPSILON

    hook = register_optimizer_step_pre_hook(widen)
    try:
        yield
    finally:
        hook.remove()
