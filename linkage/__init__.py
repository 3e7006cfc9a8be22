"""Records to persons: the shared patient index.

A pure library. It reads no environment, no settings and no conventional paths; everything it needs is an argument, and what it
makes is Parquet and a registry file at the paths it was given. `linkage.link.link` is the night's entry point.
"""
