"""What may be said to ``make deploy``, and how it is remembered."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from coinlog.errors import UsageError
from coinlog.settings import Secret
from coinlog_infra import given
from coinlog_infra.options import OPTIONS, Given, Options, build_options
from coinlog_infra.remembered import remember

ODD = {
    "NAME": [
        "Coinlog",
        "c",
        "a--b",
        "a-",
        "-a",
        "coinlog;rm -rf /",
        "ñandú",
        "a" * 25,
        "a b",
        "a\n",
    ],
    "REGION": ["us east", "us-east-1;x", "USA", "us-east-1/..", "1"],
    "INTERVAL": ["0", "7m", "5h", "-6h", "6", "6h; x", "١h"],
    "ASSETS": ["", "top:0", "top:99999999", "id:", "top:5+", "id:1;2"],
    "SHAPE": ["cheap", "page edition"],
    "PUBLIC": ["maybe", "2"],
    "ADMIT": ["0.0.0.0/0", "::/0", "1.2.3", "1.2.3.4/33", "here", "1.0.0.0/7", ","],
    "DOMAIN": ["localhost", "http://x.org", "x..org", "-a.org", "a.org/b", "*.a.org", "a_b.org"],
    "ZONE": ["org", "example.org.", "x y.org"],
    "EMAIL": ["you", "you@", "a@b", "a b@c.org", "a@b.org,c@d.org", '"a"@b.org'],
    "ENGINE": ["postgres"],
    "DATABASE_CLASS": ["t4g.micro", "db.t4g", "db.t4g.micro --x"],
    "DATABASE_GB": ["19", "1e3", "65537"],
    "MIN_TASKS": ["0", "21", "one"],
    "MAX_TASKS": ["0", "21"],
    "ARCHITECTURE": ["amd64", "mips"],
}


MAKE = shutil.which("make") or "make"


def told(**variables: str) -> Options:
    return build_options(given.from_environment({f"DEPLOY_{k}": v for k, v in variables.items()}))


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in ODD.items() for value in values]
)
def test_what_cannot_be_used_is_refused_with_what_could(variable: str, value: str) -> None:
    [option] = [one for one in OPTIONS if one.variable == variable]

    with pytest.raises(UsageError) as refusal:
        build_options({option.field: Given(value, variable)})

    assert variable in str(refusal.value)
    assert f"{variable}={option.example}" in str(refusal.value)


def test_every_option_has_odd_values_above_and_is_a_field() -> None:
    assert set(ODD) == {option.variable for option in OPTIONS}
    assert {option.field for option in OPTIONS} == {field.name for field in fields(Options)}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_an_example_can_be_used_and_is_written_as_it_is_read(option: object) -> None:
    assert isinstance(option, type(OPTIONS[0]))
    value = option.parse(option.example)

    assert option.parse(option.write(value)) == value
    default = getattr(Options(), option.field)
    assert default is None or isinstance(value, type(default))


@examples(st.text(max_size=40), st.sampled_from(OPTIONS))
def test_whatever_is_said_it_is_used_or_refused_by_a_sentence(text: str, option: object) -> None:
    assert isinstance(option, type(OPTIONS[0]))
    try:
        build_options({option.field: Given(text, option.variable)})
    except UsageError as refusal:
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 400


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"MIN_TASKS": "5"}, "MIN_TASKS is 5 and MAX_TASKS 4"),
        ({"ZONE": "example.org"}, "without a DOMAIN"),
        ({"DOMAIN": "coins.other.org", "ZONE": "example.org"}, "not in the zone"),
        ({"DOMAIN": "badexample.org", "ZONE": "example.org"}, "not in the zone"),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        told(**variables)


def test_an_address_is_a_network_of_one_and_an_empty_value_is_none() -> None:
    options = told(ADMIT="203.0.113.7 , 198.51.100.0/24,203.0.113.7", EMAIL="")

    assert options.admitted == ("203.0.113.7/32", "198.51.100.0/24")
    assert options.email is None


def test_what_make_is_told_wins_over_the_environment_the_file_and_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, dotenv = tmp_path / "deploy.toml", tmp_path / ".env"
    dotenv.write_text("COINLOG_INTERVAL=5m\nCOINLOG_ASSETS=top:5\n")
    monkeypatch.setattr(given, "DOTENV", dotenv)

    assert given.load_options({}, file).interval_seconds == 300
    file.write_text('interval = "15m"\n')
    assert given.load_options({}, file).interval_seconds == 900
    environ = {"COINLOG_INTERVAL": "30m"}
    assert given.load_options(environ, file).interval_seconds == 1800
    environ["DEPLOY_INTERVAL"] = "1h"
    options = given.load_options(environ, file)
    assert (options.interval_seconds, options.assets) == (3600, "top:5")


def test_a_shells_own_name_and_email_mean_other_things() -> None:
    assert given.from_environment({"NAME": "laptop", "EMAIL": "me@example.org"}) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("interval = 6h", "cannot be read"),
        ('intervall = "6h"', "did you mean interval"),
        ('api_key = "secret"', "no option"),
        ("interval = 6.5", "is a float"),
        ("[interval]\nx = 1", "is a dict"),
        ("admit = [1]", "is a list"),
        ('interval = "6h"\ninterval = "1h"', "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "deploy.toml"
    file.write_text(text)

    with pytest.raises(UsageError, match=sentence):
        given.load_options({}, file)


def test_the_first_deploy_writes_a_file_that_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    options = told(PUBLIC="yes", INTERVAL="1h", ADMIT="203.0.113.7", REGION="sa-east-1")

    assert remember(options, file) == []
    assert build_options(given.from_file(file)) == options
    text = file.read_text()
    assert all(option.help in text for option in OPTIONS)
    assert '# domain = "coins.example.org"' in text
    assert "architecture" not in tomllib.loads(text)


def test_what_changes_is_written_and_told_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    remember(Options(), file)
    own = file.read_text().replace('interval = "6h"', 'interval = "6h"') + "\n# my own remark\n"
    file.write_text(own)

    changes = remember(replace(Options(), interval_seconds=3600, email="you@example.org"), file)

    assert changes == ["interval: 6h → 1h", "email: none → you@example.org"]
    assert "# my own remark" in file.read_text()
    before, after = own.splitlines(), file.read_text().splitlines()
    assert [a for a, b in zip(after, before, strict=True) if a != b] == [
        'interval = "1h"',
        'email = "you@example.org"',
    ]
    assert remember(replace(Options(), interval_seconds=3600), file) == [
        "email: you@example.org → none"
    ]


def test_a_second_name_has_a_file_of_its_own_and_leaves_the_first_ones_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = tmp_path / "deploy.toml"
    monkeypatch.setattr(given, "FILE", first)

    def deploy(**variables: str) -> Options:
        environ = {f"DEPLOY_{name}": value for name, value in variables.items()}
        options = given.load_options(environ)
        remember(options, given.file_of(options.name))
        return options

    deploy(INTERVAL="1h", REGION="eu-west-1")
    before = first.read_text()
    second = deploy(NAME="segundo", REGION="us-east-1")

    assert second.interval_seconds == Options().interval_seconds, "not the first one's"
    assert first.read_text() == before
    assert given.load_options({}).name == "coinlog"
    assert given.load_options({"DEPLOY_NAME": "segundo"}).region == "us-east-1"
    assert given.load_options({"DEPLOY_NAME": "coinlog"}).region == "eu-west-1"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["deploy.segundo.toml", "deploy.toml"]


def test_the_first_name_of_all_is_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(given, "FILE", tmp_path / "deploy.toml")
    options = given.load_options({"DEPLOY_NAME": "mine"})
    remember(options, given.file_of(options.name))

    assert given.load_options({}).name == "mine"
    assert given.file_of("../mine") == given.FILE, "refused later, and no path"


def test_a_yes_that_is_not_the_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not given.agreed_to("coinlog")
    monkeypatch.setenv("DEPLOY_YES", "coinlog")
    assert given.agreed_to("coinlog")
    monkeypatch.setenv("DEPLOY_YES", "1")
    with pytest.raises(UsageError, match="YES is '1': expected the name, YES=coinlog"):
        given.agreed_to("coinlog")


def test_a_key_that_cannot_be_coinmarketcaps_is_seen() -> None:
    assert given.looks_like_a_key(Secret("b54bcf4d-1bca-4e8e-9a24-22ff2c3d462c"))
    assert not given.looks_like_a_key(Secret("short"))
    assert not given.looks_like_a_key(Secret("b54bcf4d-1bca-4e8e-9a24-22ff2c3d462"))


def make(*words: str) -> subprocess.CompletedProcess[str]:
    unset = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.run(
        (MAKE, "--dry-run", *words),
        cwd=given.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("word", "meant"),
    [("shape=edition", "SHAPE"), ("INTERVALO=1h", "INTERVAL"), ("data=delete", "DATA")],
)
def test_a_slip_in_a_variable_of_make_is_refused(word: str, meant: str) -> None:
    refused = make("destroy", word)

    assert refused.returncode == 2
    assert f"did you mean {meant}?" in refused.stderr
    assert refused.stdout == ""


def test_every_option_and_every_setting_may_be_said_to_make() -> None:
    words = [f"{option.variable}=x" for option in OPTIONS]
    others = ("TESTS=a b", "YES=1", "CMD=verify --sample 5%", "COINLOG_PORT=80", "DB_HOST=x")

    done = make("help", *words, *others)
    assert done.returncode == 0, done.stderr


def test_a_deployer_needs_no_packages_for_tests() -> None:
    said = make("--always-make", "deploy").stdout

    assert "requirements-infra.lock" in said
    assert "requirements-dev.lock" not in said


def test_a_file_that_cannot_be_changed_line_by_line_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    text = 'admit = [\n  "203.0.113.7/32",\n]\n'
    file.write_text(text)

    with pytest.raises(UsageError, match="line by line"):
        remember(replace(Options(), admitted=("198.51.100.0/24",)), file)

    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]
