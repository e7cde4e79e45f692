"""Settings for every test: properties have no deadline, and networks this small run on one thread."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start

from hypothesis import HealthCheck, settings

settings.register_profile("causalcf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("causalcf")
