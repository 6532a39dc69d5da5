from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.packing import Samples, pack, unpack
from k8slab.etcd.store import Entry


@given(st.binary(max_size=5_000), st.binary(max_size=40_000))
def test_what_is_packed_comes_back(value, sample):
    assert unpack(pack(value, sample), sample) == value


def test_what_is_alike_takes_little():
    one, other = (b'{"kind":"Pod","name":"web-%d"}' % number + bytes(range(256)) * 4 for number in (1, 2))
    assert len(pack(other, one)) < len(other) / 10


def test_the_first_of_a_kind_is_the_sample_of_the_next():
    samples = Samples()
    assert samples.for_value("pods", b"one") == b""
    assert samples.for_value("pods", b"two") == b"one"
    assert samples.for_value("nodes", b"three") == b""


def test_an_entry_tells_the_same_packed_or_not():
    plain, packed = (Entry("/k", b"value", 2, 1, 2, words=words) for words in (b"", b"valuable"))
    assert plain == packed
    assert packed.value == b"value"
    assert not packed.deleted


def test_a_deletion_has_nothing_to_pack():
    assert Entry("/k", None, 2, 0, 0, words=b"valuable").deleted
