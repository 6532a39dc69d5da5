"""Later and later, up to five minutes."""

from k8slab.client.backoff import Backoff


def delays(backoff, count, every=1.0):
    found = []
    for number in range(count):
        backoff.failed("key", number * every)
        found.append(backoff.get("key"))
    return found


def test_each_failure_doubles_the_delay_up_to_five_minutes():
    assert delays(Backoff(), 7) == [10, 20, 40, 80, 160, 300, 300]


def test_who_never_failed_need_not_wait():
    assert Backoff().get("key") == 0
    assert Backoff().ends("key", 5.0) == 5.0


def test_the_delay_counts_from_the_failure():
    backoff = Backoff()
    backoff.failed("key", 100.0)
    assert backoff.ends("key", 100.0) == 110.0


def test_ten_quiet_minutes_make_it_forget():
    assert delays(Backoff(), 3, every=601.0) == [10, 10, 10]


def test_keys_are_forgotten_by_their_beginning():
    backoff = Backoff()
    for key in ("a/x", "a/y", "b/x"):
        backoff.failed(key, 0.0)
    backoff.forget("a/")
    assert [backoff.get(key) for key in ("a/x", "a/y", "b/x")] == [0, 0, 10]
