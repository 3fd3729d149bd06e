"""Settings come from six layers, and a vault may set only what is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tobs.config import Machine, TrustStore, load_settings, make_profile
from tobs.config.describe import env_example, setting_rows, settings_reference
from tobs.config.units import parse_duration, parse_rate, parse_size
from tobs.errors import ConfigError

REPO = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / ".tobs").mkdir(parents=True)
    return folder


def test_a_higher_layer_wins_and_the_origin_is_known(home: Path, vault: Path, tmp_path: Path) -> None:
    (home / "config.toml").write_text('max_size = "1MB"\nprofile = "conservative"\nlanguage = "de"\n')
    (vault / ".tobs" / "config.toml").write_text('max_size = "2MB"\n')
    (tmp_path / ".env").write_text("TOBS_API_ID=7\nTOBS_PROFILE=aggressive\nTOBS_PLUGIN_TEXT_PAGES=3\n")
    env = {"TOBS_PROFILE": "balanced", "TOBS_HOME": str(home), "TOBS_PLUGIN_WHISPER_KEY": "x", "OTHER": "y"}
    loaded = load_settings(home=home, env=env, cwd=tmp_path, vault=vault, command_line={"workers": 3, "layout": None})
    settings = loaded.settings
    assert (settings.max_size, settings.profile, settings.api_id, settings.workers) == (2_000_000, "balanced", 7, 3)
    assert settings.language == "de"
    assert loaded.origins["profile"] == "environment"
    assert loaded.origins["workers"] == "command line"
    assert loaded.origins["layout"] == "default"
    assert loaded.plugin_variables == {"text_pages": "3", "whisper_key": "x"}


def test_a_command_run_inside_a_vault_needs_no_env_file_and_refuses_one(home: Path, vault: Path) -> None:
    (vault / "Telegram").mkdir()
    for inside in (vault, vault / "Telegram"):
        assert load_settings(home=home, env={}, cwd=inside, vault=vault).settings.api_id is None
        (inside / ".env").write_text("TOBS_API_ID=7\n")
        with pytest.raises(ConfigError, match="lies inside the vault"):
            load_settings(home=home, env={}, cwd=inside, vault=vault)
        (inside / ".env").unlink()


def test_an_unsafe_setting_of_a_vault_is_ignored_until_the_file_is_trusted(
    home: Path, vault: Path, tmp_path: Path
) -> None:
    file = vault / ".tobs" / "config.toml"
    file.write_text('server = "evil.example:443"\nproxy = "socks5://evil.example"\nlanguage = "de"\n')
    loaded = load_settings(home=home, env={}, cwd=tmp_path, vault=vault)
    assert (loaded.settings.server, loaded.settings.language) == ("", "de")
    assert "server, proxy" in loaded.warnings[0]
    TrustStore(home).add(file)
    assert load_settings(home=home, env={}, cwd=tmp_path, vault=vault).settings.server == "evil.example:443"
    file.write_text(file.read_text() + "# changed\n")
    assert load_settings(home=home, env={}, cwd=tmp_path, vault=vault).settings.server == ""


def test_a_folder_whose_files_are_renamed_moved_or_added_to_is_trusted_no_more(home: Path, vault: Path) -> None:
    folder, store = vault / ".tobs" / "plugins" / "hello", TrustStore(home)
    (folder / "parts").mkdir(parents=True)
    (folder / "__init__.py").write_text("import one")
    (folder / "one.py").write_text("1")
    store.add(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "one.pyc").write_text("made by Python")
    assert store.trusts(folder)
    for elsewhere in ("two.py", "parts/one.py"):
        (folder / "one.py").rename(folder / elsewhere)
        assert not store.trusts(folder), elsewhere
        (folder / elsewhere).rename(folder / "one.py")
        assert store.trusts(folder)
    (folder / "empty.py").touch()
    assert not store.trusts(folder)


def test_the_trust_file_is_private(home: Path, vault: Path) -> None:
    file = vault / ".tobs" / "config.toml"
    file.write_text("")
    TrustStore(home).add(file)
    assert (home / "trust").stat().st_mode & 0o777 == 0o600


def test_a_dotenv_inside_a_vault_is_refused(home: Path, vault: Path) -> None:
    (vault / ".env").write_text("TOBS_API_ID=7\n")
    with pytest.raises(ConfigError, match="inside the vault"):
        load_settings(home=home, env={}, cwd=vault)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"TOBS_WORKERS": "many"}, "workers \\(environment\\)"),
        ({"TOBS_MAX_SIZE": "huge"}, "write it like 50MB"),
        ({"TOBS_TIMEZONE": "Mars/Olympus"}, "IANA time zone"),
        ({"TOBS_SERVER": "nowhere"}, "host:port"),
        ({"TOBS_WORKRES": "3"}, "Did you mean workers"),
        ({"TOBS_MEDIA": "photo,hologram"}, "media"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_setting_and_layer(
    home: Path, tmp_path: Path, env: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        load_settings(home=home, env=env, cwd=tmp_path)


def test_a_secret_is_never_in_an_error_or_a_listing(home: Path, tmp_path: Path) -> None:
    loaded = load_settings(home=home, env={"TOBS_API_HASH": "s3cr3t" * 5}, cwd=tmp_path)
    assert "s3cr3t" not in repr(loaded) + str(setting_rows(loaded))
    with pytest.raises(ConfigError) as caught:
        load_settings(home=home, env={"TOBS_API_HASH": "s3cr3t" * 5, "TOBS_API_ID": "s3cr3t"}, cwd=tmp_path)
    assert "s3cr3t" not in str(caught.value)


def test_media_is_a_list_all_or_none(home: Path, tmp_path: Path) -> None:
    def media(value: str) -> tuple[str, ...]:
        return load_settings(home=home, env={"TOBS_MEDIA": value}, cwd=tmp_path).settings.media

    assert media("photo, voice") == ("photo", "voice")
    assert media("none") == ()
    assert len(media("all")) == 8


def test_profiles_follow_the_machine(home: Path, tmp_path: Path) -> None:
    def profile(machine: Machine, **given: object) -> object:
        return make_profile(load_settings(home=home, env={}, cwd=tmp_path, command_line=given).settings, machine)

    big, small = Machine(cpus=32, memory=64 * 10**9), Machine(cpus=2, memory=4 * 10**9)
    for name, most, share in (("conservative", 4, 0.2), ("balanced", 8, 0.4), ("aggressive", 16, 0.6)):
        assert profile(big, profile=name).workers == most  # type: ignore[attr-defined]
        assert profile(big, profile=name).memory == int(big.memory * share)  # type: ignore[attr-defined]
    assert profile(small, profile="aggressive").workers == 4  # type: ignore[attr-defined]
    assert profile(small, profile="aggressive", workers=9).workers == 9  # type: ignore[attr-defined]


def test_the_custom_profile_takes_every_value_from_the_settings(home: Path, tmp_path: Path) -> None:
    given = {"profile": "custom", "workers": 5, "downloads": 2, "batch": 50, "memory": "100MB", "timeout": "10s"}
    with pytest.raises(ConfigError, match="no value for flood_threshold"):
        make_profile(load_settings(home=home, env={}, cwd=tmp_path, command_line=given).settings, Machine(2, 4 * 10**9))
    given["flood_threshold"] = "2m"
    loaded = load_settings(home=home, env={}, cwd=tmp_path, command_line=given)
    profile = make_profile(loaded.settings, Machine(2, 4 * 10**9))
    assert (profile.workers, profile.batch, profile.memory, profile.flood_threshold) == (5, 50, 100_000_000, 120.0)


def test_sizes_and_durations_read_as_people_write_them() -> None:
    assert [parse_rate(text) for text in ("5MB/s", "500 kB / S", "1000")] == [5_000_000, 500_000, 1000]
    with pytest.raises(ValueError, match="write it like 5MB/s"):
        parse_rate("fast")
    assert [parse_size(text) for text in ("50MB", "1.5 GiB", "10", "2k")] == [50_000_000, 1610612736, 10, 2000]
    assert [parse_duration(text) for text in ("90", "15m", "7d", "1.5h")] == [90, 900, 604800, 5400]


def test_the_env_example_is_what_the_settings_say() -> None:
    assert (REPO / ".env.example").read_text(encoding="utf-8") == env_example()


def test_the_settings_reference_is_what_the_settings_say() -> None:
    assert (REPO / "docs" / "reference" / "settings.md").read_text(encoding="utf-8") == settings_reference()


def test_single_chats_have_settings_of_their_own_which_a_vault_may_set(home: Path, vault: Path, tmp_path: Path) -> None:
    (home / "config.toml").write_text('[chats."@a"]\nmedia = "photo"\n[chats."@b"]\nmax_size = "1MB"\n')
    file = vault / ".tobs" / "config.toml"
    file.write_text('[chats."@a"]\nmedia = "none"\nmax_size = "5MB"\n[chats."My group"]\nmedia = "voice,audio"\n')
    loaded = load_settings(home=home, env={}, cwd=tmp_path, vault=vault)
    assert loaded.warnings == ()
    (row,) = [row for row in setting_rows(loaded) if row["name"] == "chats"]
    assert row["value"] == {
        "@a": {"media": [], "max_size": 5_000_000},
        "@b": {"max_size": 1_000_000},
        "My group": {"media": ["voice", "audio"]},
    }
    assert row["vault_safe"] and row["origin"] == str(file)

    given = load_settings(home=home, env={}, cwd=tmp_path, vault=vault, command_line={"media": "video"})
    assert {name: one.media for name, one in given.settings.chats.items()} == {"@a": None, "@b": None, "My group": None}
    assert given.settings.chats["@a"].max_size == 5_000_000, "the command line says nothing about sizes"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[chats."@a"]\nmedia = "fotos"\n', "chats.@a.media"),
        ('[chats."@a"]\nmax_size = "big"\n', "chats.@a.max_size"),
        ('[chats."@a"]\nlayout = "day"\n', "chats.@a.layout"),
        ('chats = "none"\n', "chats ("),
        ('[chats]\n"@a" = "none"\n', "chats.@a"),
    ],
)
def test_a_wrong_setting_of_a_chat_is_named(home: Path, tmp_path: Path, text: str, told: str) -> None:
    (home / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_settings(home=home, env={}, cwd=tmp_path)
    assert told in str(raised.value) and "\n" not in str(raised.value)
