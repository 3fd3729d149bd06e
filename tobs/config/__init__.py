"""Settings, profiles, layers, trust and secrets. The only package that reads the environment."""

from tobs.config.layers import LoadedSettings, load_settings
from tobs.config.profiles import Machine, Profile, make_profile, this_machine
from tobs.config.settings import Settings
from tobs.config.trust import TrustStore

__all__ = [
    "LoadedSettings",
    "Machine",
    "Profile",
    "Settings",
    "TrustStore",
    "load_settings",
    "make_profile",
    "this_machine",
]
