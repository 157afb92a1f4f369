"""What every test may rely on."""

import os

# Idle threads of LightGBM would otherwise spin, ten times slower on a machine that is shared.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from patronage.tracking.store import quiet_mlflow

with quiet_mlflow():  # its own modules warn when they are first imported
    import mlflow.pyfunc  # noqa: F401
