"""The configuration refuses what it does not understand, and never falls back in silence."""

from __future__ import annotations

import os
import stat

import pytest

from orchestration import zones
from orchestration.settings import Settings, SettingsError, load_settings, without_secrets

KEY = "ab" * 32


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment with no PHM_ setting but the data directory; what settings export is taken back."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PHM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PHM_DATA_DIR", str(tmp_path))
    load_settings.cache_clear()
    yield monkeypatch
    load_settings.cache_clear()
    for name in set(os.environ) - set(before):
        del os.environ[name]


def test_zones_lie_below_the_data_directory(environment, tmp_path):
    settings = load_settings()
    assert settings.landing_dir == tmp_path / "landing"
    assert settings.lock_path == tmp_path / "warehouse" / "run.lock"


def test_a_misspelt_setting_is_refused_by_name(environment):
    environment.setenv("PHM_MEMRY_LIMIT", "8GB")
    with pytest.raises(SettingsError, match="PHM_MEMRY_LIMIT"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHM_MEMORY_LIMIT", "lots"),
        ("PHM_THREADS", "0"),
        ("PHM_BOUNDARIES", "nowhere.geojson"),
        ("PHM_CHROMIUM", "/nowhere/chromium"),
        ("PHM_KEEP_RELEASES", "1"),
        ("PHM_ENVIRONMENT", "staging"),
        ("PHM_AS_OF", "31/03/2025"),
    ],
)
def test_an_unusable_value_is_refused_by_name_and_never_repeated(environment, name, value):
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert f"input_value={value!r}" not in str(caught.value)


def test_no_key_means_no_start_and_says_how_to_make_one(environment):
    with pytest.raises(SettingsError, match="phm keys create"):
        load_settings().require_key()


def test_the_key_comes_from_the_variable_the_named_file_or_the_usual_place(environment, tmp_path):
    path = tmp_path / "elsewhere.key"
    path.write_text(KEY)
    path.chmod(0o600)
    by_variable = Settings(pseudonymisation_key=KEY).require_key()
    by_file = Settings(pseudonymisation_key_file=path).require_key()
    settings = Settings()
    settings.key_path.parent.mkdir(parents=True)
    path.rename(settings.key_path)
    assert by_variable.key_id == by_file.key_id == settings.require_key().key_id


def test_two_keys_are_one_too_many(environment, tmp_path):
    with pytest.raises(SettingsError, match="not both"):
        Settings(pseudonymisation_key=KEY, pseudonymisation_key_file=tmp_path / "k").require_key()


def test_a_named_key_file_that_is_missing_is_not_replaced_by_another(environment, tmp_path):
    zones.create_key(Settings())
    with pytest.raises(SettingsError, match="nowhere"):
        Settings(pseudonymisation_key_file=tmp_path / "nowhere").require_key()


def test_the_key_is_printed_nowhere(environment):
    assert KEY not in repr(Settings(pseudonymisation_key=KEY))


def test_children_do_not_inherit_the_key(environment):
    environment.setenv("PHM_PSEUDONYMISATION_KEY", KEY)
    with without_secrets():
        assert "PHM_PSEUDONYMISATION_KEY" not in os.environ
    assert os.environ["PHM_PSEUDONYMISATION_KEY"] == KEY


def test_a_data_directory_that_nobody_claimed_has_no_environment(environment):
    with pytest.raises(SettingsError, match="PHM_ENVIRONMENT=production"):
        load_settings().require_environment()


def test_a_demonstration_never_enters_a_production_directory(environment):
    zones.claim(Settings(environment="production"), "production")
    assert Settings().require_environment() == "production"
    with pytest.raises(SettingsError, match="belongs to 'production'"):
        Settings(environment="demo").require_environment()
    with pytest.raises(SettingsError, match="not a demo one"):
        zones.claim(Settings(), "demo")


def test_a_demonstration_never_joins_extracts_that_are_already_there(environment, tmp_path):
    (tmp_path / "landing" / "gp_emis" / "2025-04-01").mkdir(parents=True)
    with pytest.raises(SettingsError, match="already holds deliveries"):
        zones.claim(Settings(), "demo")


def test_a_key_is_private_and_never_replaced(environment):
    settings = Settings()
    path = zones.create_key(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.identifiable_dir.stat().st_mode) == 0o700
    before = path.read_text()
    with pytest.raises(SettingsError, match="never overwritten"):
        zones.create_key(settings)
    assert path.read_text() == before


def test_another_key_is_noticed_before_anything_is_loaded_with_it(environment):
    settings = Settings(pseudonymisation_key=KEY)
    zones.prepare_zones(settings)
    zones.check_key_is_the_same(settings, settings.require_key())
    other = Settings(pseudonymisation_key="cd" * 32)
    with pytest.raises(SettingsError, match="not the one this data directory was loaded with"):
        zones.check_key_is_the_same(other, other.require_key())


def test_identifiable_is_closed_to_others_even_when_it_was_made_open(environment):
    settings = Settings()
    settings.identifiable_dir.mkdir(parents=True, mode=0o755)
    zones.prepare_zones(settings)
    assert stat.S_IMODE(settings.identifiable_dir.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written_is_named(environment, tmp_path):
    (tmp_path / "raw").write_text("a file where a folder belongs")
    with pytest.raises(SettingsError, match=r"Cannot write to .*raw.*PHM_DATA_DIR"):
        zones.prepare_zones(Settings())
