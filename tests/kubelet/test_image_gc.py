from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.clock import VirtualClock
from k8slab.cri.api import Container, ContainerState, CriError, FilesystemUsage, Image
from k8slab.kubelet.image_gc import ImageGC, ImageRecord, bytes_to_free, image_gc_candidates

MIB = 1 << 20


@pytest.mark.parametrize(
    ("available", "to_free"),
    [(100, 0), (16, 0), (15, 5), (10, 10), (0, 20)],
)
def test_room_is_made_from_85_percent_to_80(available, to_free):
    assert bytes_to_free(FilesystemUsage(100, available)) == to_free


def test_a_disk_of_no_size_is_left_alone():
    assert bytes_to_free(FilesystemUsage(0, 0)) == 0


def record(name, size=10, detected=0.0, used=0.0):
    return ImageRecord(name, size, detected, used)


def chosen(records, to_free, now=1000.0):
    return [each.id for each in image_gc_candidates(records, to_free, now)]


def test_the_images_that_were_used_least_lately_go_first():
    records = [record("new", used=900), record("never"), record("old", used=100), record("older", used=50)]
    assert chosen(records, 25) == ["never", "older", "old"]


def test_of_images_that_nobody_ever_used_the_first_that_came_goes_first():
    assert chosen([record("b", detected=20), record("a", detected=10)], 10) == ["a"]


def test_what_is_used_and_what_has_just_come_stays():
    records = [record("used", used=1000.0), record("fresh", detected=900.0), record("old", detected=880.0)]
    assert chosen(records, 100) == ["old"]


records = st.lists(
    st.builds(
        ImageRecord, st.uuids().map(str), st.integers(1, 50), st.integers(0, 1000).map(float), st.integers(0, 1000).map(float)
    ),
    max_size=12,
)  # fmt: skip


@given(records, st.integers(-5, 300))
def test_as_few_go_as_make_enough_room(found, to_free):
    going = image_gc_candidates(found, to_free, 1000.0)
    freed = [each.size for each in going]
    assert sum(freed[:-1]) < to_free or not going
    eligible = sum(each.size for each in found if each.last_used < 1000 and 1000 - each.first_detected >= 120)
    assert sum(freed) >= min(max(to_free, 0), eligible)
    assert all(each.last_used < 1000 and each.first_detected <= 880 for each in going)


class Runtime:
    """A runtime that holds images, and nothing else."""

    def __init__(self, capacity=1000):
        self.capacity, self.images, self.containers, self.fails = capacity, {}, [], False

    def image_fs_info(self):
        if self.fails:
            raise CriError("Unavailable", "no daemon")
        used = sum(each.size for each in self.images.values())
        return FilesystemUsage(self.capacity, self.capacity - used) if self.capacity else None

    def list_images(self):
        return list(self.images.values())

    def list_containers(self, pod_uid=""):
        return self.containers

    def remove_image(self, name):
        del self.images[name]

    def add(self, name, size=300, used=False):
        self.images[name] = Image(name, (f"docker.io/{name}:1",), (f"docker.io/{name}@sha256:{name}",), size)
        if used:
            image = Container("c", "s", "main", 0, f"docker.io/{name}:1", name, ContainerState.EXITED, 0.0)
            self.containers.append(image)


@pytest.fixture
def runtime():
    return Runtime()


def later(gc, seconds=300):
    gc._clock.advance_to(gc._clock.now() + seconds)
    return gc.run()


def test_it_frees_what_is_unused_and_says_nothing(runtime):
    gc = ImageGC(runtime, VirtualClock())
    for name in ("a", "b"):
        runtime.add(name)
    gc.run()
    runtime.add("c", used=True)
    assert later(gc) == ""
    assert list(runtime.images) == ["b", "c"]
    assert gc.next_run == gc._clock.now() + 300


def test_a_dead_container_keeps_its_image_and_too_little_is_told(runtime):
    gc = ImageGC(runtime, VirtualClock())
    for name in ("a", "b", "c"):
        runtime.add(name, used=True)
    gc.run()
    assert later(gc) == (
        "Failed to garbage collect required amount of images. Attempted to free 100 bytes, but only found 0 bytes "
        "eligible to free."
    )
    assert list(runtime.images) == ["a", "b", "c"]


def test_a_disk_that_is_not_the_clusters_is_never_tidied():
    runtime = Runtime(capacity=0)
    runtime.add("mine", size=10**12)
    gc = ImageGC(runtime, VirtualClock())
    assert [gc.run(), later(gc), later(gc)] == ["", "", ""]
    assert list(runtime.images) == ["mine"]


def test_a_runtime_that_does_not_answer_is_asked_again_later(runtime):
    gc = ImageGC(runtime, VirtualClock())
    runtime.fails = True
    assert gc.run() == ""
    assert gc.next_run == gc._clock.now() + 300


def test_on_a_small_disk_old_images_go_and_a_pod_that_comes_back_pulls_again():
    with Cluster(nodes=1, seed=2) as cluster:
        for version in ("1.25", "1.27"):
            cluster.kubectl(f"run web --image=nginx:{version}")
            cluster.run_for("10m")
            cluster.kubectl("delete pod web")
        cluster.fault("small-disk", node="node-1", size="150Mi").start()
        cluster.kubectl("run web --image=nginx:1.29")
        cluster.run_for("10m")
        images = [tag for each in cluster.engine.runtimes["node-1"].list_images() for tag in each.tags]
        assert images == ["docker.io/library/nginx:1.29"]
        cluster.fault("small-disk", node="node-1", size="50Mi").start()
        cluster.run_for("10m")
        assert "FreeDiskSpaceFailed" in cluster.kubectl("get events").stdout
