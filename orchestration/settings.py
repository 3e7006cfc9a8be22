"""The one configuration object: every setting, validated once, frozen, and the only reader of the environment.

Settings come from environment variables that begin with `PHM_`. An unknown or ill-formed one is refused, because a misspelt
limit that is silently ignored is worse than a run that does not start. Which environment a data directory belongs to
(`demo` or `production`) is written in the directory itself, so that a demonstration can never be loaded over real extracts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from linkage.duck import Limits
from orchestration.landing.errors import LandingError
from orchestration.landing.keys import PseudonymisationKey

Environment = Literal["demo", "production"]

PROJECT_DIR = Path(__file__).resolve().parents[1]
ENV_PREFIX = "PHM_"

_SECRETS = ("PHM_PSEUDONYMISATION_KEY",)
_SIZE = r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$"


class SettingsError(Exception):
    """The configuration cannot be used; the message says which setting and what to do."""


class Settings(BaseSettings):
    """Every setting of the warehouse. Paths are absolute; sizes are DuckDB's (`4GB`, `512MiB`).

    Build one with `load_settings`; steps receive plain values from it.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Path = PROJECT_DIR / "data"
    environment: Environment | None = None
    pseudonymisation_key: SecretStr | None = None
    pseudonymisation_key_file: Path | None = None
    as_of: date | None = None

    memory_limit: str = Field(default="4GB", pattern=_SIZE)
    threads: int = Field(default_factory=lambda: os.cpu_count() or 2, ge=1)
    max_spill: str = Field(default="50GB", pattern=_SIZE)

    sharing_agreements: Path | None = None
    reidentification_access: Path | None = None
    reidentification_max_days: int = Field(default=28, ge=1)
    reidentification_max_people: int = Field(default=2000, ge=1)
    national_opt_out_max_days: int = Field(default=7, ge=0)

    keep_releases: int = Field(default=7, ge=2)
    keep_days: int = Field(default=30, ge=1)
    direct_care_group: str | None = None
    secondary_use_group: str | None = None
    compact_after_loads: int = Field(default=30, ge=2)
    disclosure_policy: str = "hes_style"
    alert_command: str | None = None
    pages_dir: Path = PROJECT_DIR / "pages"
    boundaries: Path | None = None
    chromium: Literal["none"] | Path | None = None
    blind_reviewers: int = Field(default=2, ge=1, le=2)

    @field_validator(
        "data_dir", "pseudonymisation_key_file", "sharing_agreements", "reidentification_access", "pages_dir", "boundaries"
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value else None

    @field_validator("boundaries", "chromium")
    @classmethod
    def _is_there(cls, value: Path | str | None) -> Path | str | None:
        if isinstance(value, Path) and not value.is_file():
            raise ValueError(f"{value} is no file")
        return value

    # Zones: see docs/architecture.md.

    @property
    def landing_dir(self) -> Path:
        return self.data_dir / "landing"

    @property
    def identifiable_dir(self) -> Path:
        return self.data_dir / "identifiable"

    @property
    def identity_dir(self) -> Path:
        """What linkage reads: names, addresses and NHS numbers, by record token."""
        return self.identifiable_dir / "identity"

    @property
    def local_ids_dir(self) -> Path:
        """Which supplier's id each record token stands for."""
        return self.identifiable_dir / "local_ids"

    def local_ids_files(self) -> list[Path]:
        """The Parquet files of `local_ids_dir`, one a table and load (record_token, source, namespace, local_id)."""
        return sorted(self.local_ids_dir.glob("*/*/*.parquet"))

    @property
    def evaluating_dir(self) -> Path:
        """Where each evaluation against a truth has its private scratch folder while it runs."""
        return self.identifiable_dir / "evaluating"

    @property
    def raw_dir(self) -> Path:
        return self.data_dir / "raw"

    @property
    def operations_dir(self) -> Path:
        return self.raw_dir / "operations"

    @property
    def warehouse_dir(self) -> Path:
        return self.data_dir / "warehouse"

    @property
    def releases_dir(self) -> Path:
        return self.data_dir / "releases"

    @property
    def models_dir(self) -> Path:
        """Risk models trained here: coefficients and averages, by score."""
        return self.data_dir / "models"

    @property
    def truth_dir(self) -> Path:
        return self.data_dir / "truth"

    @property
    def spill_dir(self) -> Path:
        return self.warehouse_dir / "spill"

    @property
    def sites_dir(self) -> Path:
        """Sites made by hand from a release, `<release id>/<purpose>/`: releases themselves are never written again."""
        return self.warehouse_dir / "sites"

    @property
    def build_database(self) -> Path:
        return self.warehouse_dir / "build.duckdb"

    @property
    def ledger_path(self) -> Path:
        return self.warehouse_dir / "ledger.sqlite"

    @property
    def disclosure_dir(self) -> Path:
        """What was ever published as open data."""
        return self.warehouse_dir / "disclosure"

    @property
    def lock_path(self) -> Path:
        return self.warehouse_dir / "run.lock"

    @property
    def child_path(self) -> Path:
        """Where a running child process is written down."""
        return self.warehouse_dir / "child.json"

    @property
    def dagster_dir(self) -> Path:
        return self.warehouse_dir / "dagster"

    @property
    def dbt_target_dir(self) -> Path:
        """dbt's artefacts: they hold this data directory's paths, so they live with it and not in the project."""
        return self.warehouse_dir / "dbt"

    @property
    def log_dir(self) -> Path:
        return self.warehouse_dir / "logs"

    @property
    def registry_path(self) -> Path:
        return self.identifiable_dir / "registry.duckdb"

    @property
    def key_path(self) -> Path:
        """Where `phm keys create` puts the key, and where it is looked for when no other place is named."""
        return self.identifiable_dir / "keys" / "pseudonymisation.key"

    @property
    def environment_marker(self) -> Path:
        return self.data_dir / "environment"

    @property
    def agreements_path(self) -> Path:
        """The sharing agreements: the file that is named, else the site's own, else (in a demonstration) the fictional ones."""
        if self.sharing_agreements:
            return self.sharing_agreements
        if self.is_production:
            return self.data_dir / "sharing_agreement.csv"
        return self.dbt_project_dir / "agreements" / "demonstration.csv"

    @property
    def access_register_path(self) -> Path:
        """Who may ask for names: the file that is named, else the site's own, else (in a demonstration) the fictional one."""
        if self.reidentification_access:
            return self.reidentification_access
        if self.is_production:
            return self.data_dir / "reidentification_access.csv"
        return self.dbt_project_dir / "agreements" / "demonstration_access.csv"

    @property
    def audit_path(self) -> Path:
        """Every request for names, allowed or refused."""
        return self.identifiable_dir / "audit" / "audit.jsonl"

    @property
    def reidentified_dir(self) -> Path:
        """Lists with names, until they expire: `<organisation>/<expiry date>_<request>.csv`."""
        return self.identifiable_dir / "reidentified"

    @property
    def feedback_dir(self) -> Path:
        """What goes back to each supplier: `<source>/<organisation>/`, with its own local ids."""
        return self.identifiable_dir / "feedback"

    @property
    def limits(self) -> Limits:
        """What one DuckDB connection may use."""
        return Limits(self.memory_limit, self.threads, self.max_spill, self.spill_dir)

    @property
    def is_production(self) -> bool:
        return (self.environment or self._marked_environment()) == "production"

    # The project's own folders.

    @property
    def dbt_project_dir(self) -> Path:
        return PROJECT_DIR / "dbt_project"

    @property
    def staging_dir(self) -> Path:
        return self.dbt_project_dir / "models" / "staging"

    def require_environment(self) -> Environment:
        """The environment of this data directory.

        Raises `SettingsError` when nothing says which, or when the environment variable and the directory disagree.
        """
        marked = self._marked_environment()
        if self.environment and marked and self.environment != marked:
            raise SettingsError(
                f"PHM_ENVIRONMENT is {self.environment!r} but {self.data_dir} belongs to {marked!r} "
                f"({self.environment_marker}). Point PHM_DATA_DIR at another directory."
            )
        environment = self.environment or marked
        if environment is None:
            raise SettingsError(
                f"Nothing says what {self.data_dir} is for. Run `phm demo` to make a demonstration there, "
                "or set PHM_ENVIRONMENT=production to load real extracts."
            )
        return environment

    def _marked_environment(self) -> Environment | None:
        try:
            text = self.environment_marker.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        if text not in get_args(Environment):
            raise SettingsError(f"{self.environment_marker} says {text!r}; it must be one of {', '.join(get_args(Environment))}.")
        return text  # type: ignore[return-value]

    def require_key(self) -> PseudonymisationKey:
        """The pseudonymisation key.

        Looked for in PHM_PSEUDONYMISATION_KEY, in the file PHM_PSEUDONYMISATION_KEY_FILE, then in `key_path`. A place that is
        named but unusable is an error, never a reason to look in the next one.

        Raises `SettingsError` when there is none, when two are named, or when it cannot be used.
        """
        if self.pseudonymisation_key and self.pseudonymisation_key_file:
            raise SettingsError("Set PHM_PSEUDONYMISATION_KEY or PHM_PSEUDONYMISATION_KEY_FILE, not both.")
        path = self.pseudonymisation_key_file or self.key_path
        try:
            if self.pseudonymisation_key:
                return PseudonymisationKey.from_text(self.pseudonymisation_key.get_secret_value())
            if path.exists():
                return PseudonymisationKey.from_file(path)
        except LandingError as error:
            raise SettingsError(f"{error}.") from error
        raise SettingsError(
            f"There is no pseudonymisation key at {path}. Make one with `phm keys create` and keep a copy somewhere safe, "
            "or name one with PHM_PSEUDONYMISATION_KEY_FILE or PHM_PSEUDONYMISATION_KEY."
        )

    @property
    def names_a_key(self) -> bool:
        """True when the environment says where the key is, so that none need be made."""
        return bool(self.pseudonymisation_key or self.pseudonymisation_key_file)

    def export(self) -> None:
        """Give child processes (dbt, Dagster's servers) the values that they read from the environment."""
        os.environ.update(
            {
                "PHM_DATA_DIR": str(self.data_dir),
                "PHM_THREADS": str(self.threads),
                "PHM_MEMORY_LIMIT": self.memory_limit,
                "PHM_MAX_SPILL": self.max_spill,
                "DBT_TARGET_PATH": str(self.dbt_target_dir),
                "DBT_LOG_LEVEL_FILE": "info",
            }
        )


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read and check the environment, once per process.

    Raises `SettingsError` naming the variable when one is unknown or unusable.
    """
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(ENV_PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"Unknown setting {', '.join(unknown)}; the settings are {', '.join(sorted(known))}.")
    try:
        settings = Settings()
    except ValidationError as error:
        # The value is left out: it may be a key typed into the wrong variable.
        details = "; ".join(f"{ENV_PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"Settings that cannot be used: {details}.") from None
    settings.export()
    return settings


@contextmanager
def without_secrets() -> Iterator[None]:
    """Hide keys from child processes started inside the block: dbt has no use for them."""
    hidden = {name: os.environ.pop(name) for name in _SECRETS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
