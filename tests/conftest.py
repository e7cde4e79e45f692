"""Settings for every test: properties have no deadline, since machines differ; caches go to a folder of the tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("causalcf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("causalcf")
