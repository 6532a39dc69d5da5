from __future__ import annotations

import pytest

from k8slab.cli.profile import Config, Profile, ProfileError, State, profiles


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("K8SLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def profile():
    profile = Profile("lab")
    profile.make()
    profile.save(Config(3, "simulated", "/tmp/config", 1234))
    return profile


@pytest.mark.parametrize("name", ["", "Lab", "a/b", "..", "-a", "a-", "a" * 41])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(ProfileError, match="cannot name a cluster"):
        Profile(name)


def test_a_profile_is_for_the_user_alone(home, profile):
    assert home.stat().st_mode & 0o777 == 0o700
    assert (profile.path / "config.json").stat().st_mode & 0o777 == 0o600


def test_what_was_saved_is_read_again(profile):
    assert Profile("lab").config() == Config(3, "simulated", "/tmp/config", 1234)
    assert [each.name for each in profiles()] == ["lab"]


def test_a_missing_cluster_says_how_to_start_it():
    with pytest.raises(ProfileError, match="k8slab start --name other"):
        Profile("other").config()


def test_a_damaged_profile_says_how_to_remove_it(profile):
    (profile.path / "config.json").write_text("{")
    with pytest.raises(ProfileError, match="k8slab delete --name lab"):
        profile.config()


def test_a_state_counts_only_while_its_process_lives_and_is_ours(profile):
    profile.save_state(State(2**22 + 1, "https://127.0.0.1:1", 0.0))
    assert profile.state() is None
    profile.save_state(State(1, "https://127.0.0.1:1", 0.0))
    assert profile.state() is None
    profile.save_state(None)
    assert profile.state() is None


def test_removing_leaves_nothing(profile):
    profile.remove()
    assert not profile.path.exists()
    assert list(profiles()) == []
