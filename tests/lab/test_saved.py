from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.lab.story import StoryError
from tests.lab.worlds import DEEDS, create, live

NO_STORIES = [b"", b"hello", *(gzip.compress(content, mtime=0) for content in (b"", b"{}\n{}\n", b"\xff"))]


@pytest.fixture
def saved(tmp_path):
    with Cluster(nodes=2, seed=3, name="mine") as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2")
        cluster.run_until_idle()
        yield cluster, cluster.save(tmp_path / "story.k8slab")


@settings(max_examples=10)
@given(deeds=DEEDS)
def test_any_life_comes_back_from_its_file(deeds, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "story.k8slab"
    with Cluster(nodes=2, seed=1) as cluster:
        live(cluster, deeds)
        cluster.save(path)
        with Cluster.load(path) as loaded:
            assert (loaded.fingerprint(), loaded.steps, loaded.now) == (
                cluster.fingerprint(),
                cluster.steps,
                cluster.now,
            )


def test_a_loaded_cluster_lives_on_and_goes_back(saved):
    cluster, path = saved
    with Cluster.load(path) as loaded:
        assert loaded.nodes == ("node-1", "node-2")
        assert loaded.name == "mine"
        loaded.goto(loaded.first_step)
        assert loaded.last_step == cluster.steps
        loaded.goto(loaded.last_step)
        assert loaded.kubectl("get pods").stdout == cluster.kubectl("get pods").stdout
        assert loaded.why("deployment/web").links[0].does.startswith("kubectl create")


def test_only_the_owner_can_read_it_and_nothing_else_is_left(saved, tmp_path):
    _, path = saved
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["story.k8slab"]


def test_the_same_life_is_the_same_file(tmp_path):
    def tell(name: str) -> bytes:
        with Cluster(nodes=1, seed=1) as cluster:
            create(cluster, "web", 1)
            cluster.run_until_idle()
            return cluster.save(tmp_path / name).read_bytes()

    assert tell("one") == tell("two")


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=40)
def test_a_damaged_file_is_refused_in_a_sentence(place, bit, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "good.k8slab"
    if not path.exists():
        with Cluster(nodes=1, seed=1) as cluster:
            create(cluster, "web", 1)
            cluster.save(path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    damaged = path.with_name("damaged.k8slab")
    damaged.write_bytes(data)
    if intact(bytes(data)) == intact(path.read_bytes()):
        Cluster.load(damaged).close()  # a bit of gzip's own head (a time, a flag) says nothing about the content
        return
    with pytest.raises(StoryError, match=r"damaged|not a saved story"):
        Cluster.load(damaged)


def intact(data: bytes) -> bytes | None:
    """The content, if gzip can read it."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None


@pytest.mark.parametrize("content", NO_STORIES)
def test_what_is_no_story_is_refused_in_a_sentence(content, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(StoryError, match="is not a saved story"):
        Cluster.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoryError, match=r"there is no file .*nothing\.k8slab"):
        Cluster.load(tmp_path / "nothing.k8slab")


def test_a_newer_files_maker_is_named(saved):
    _, path = saved
    head, *rest = gzip.decompress(path.read_bytes()).splitlines()
    newer = json.loads(head) | {"version": 99, "k8slab": "9.9"}
    path.write_bytes(gzip.compress(b"\n".join([json.dumps(newer).encode(), *rest])))
    with pytest.raises(StoryError, match=r"saved by a newer k8slab \(9\.9, format 99\)"):
        Cluster.load(path)


def test_replaced_controllers_have_to_be_given_again(tmp_path):
    class Mine(ReplicaSetController):
        pass

    with Cluster(nodes=1, replace={"replicaset": Mine}) as cluster:
        create(cluster, "web", 1)
        path = cluster.save(tmp_path / "mine.k8slab")
    with pytest.raises(StoryError, match="these controllers replaced: replicaset"):
        Cluster.load(path)
    with Cluster.load(path, replace={"replicaset": Mine}) as loaded:
        assert loaded.steps


def test_a_live_cluster_cannot_be_saved(tmp_path):
    with Cluster(nodes=1, mode="live") as cluster, pytest.raises(StoryError, match="cannot go back"):
        cluster.save(tmp_path / "live.k8slab")
