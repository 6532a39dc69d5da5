"""A long random life of a store, compared with a model that is too simple to be wrong."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Compacted, Delete, Expect, Put

KEYS = st.sampled_from(["/r/a/1", "/r/a/2", "/r/a/10", "/r/b/1", "/r/b/2", "plain"])
PREFIXES = st.sampled_from(["", "/r/", "/r/a/", "/r/a/1", "/r/b/", "p", "/x/y/"])


class AgainstTheModel(RuleBasedStateMachine):
    """The model: the state of all keys after each write, and the list of all changes. Its revisions count from `base`."""

    def __init__(self):
        super().__init__()
        self.store = self.open()
        self.base = self.store.revision
        self.states = [{}]
        self.log = []
        self.compacted = self.base
        self.cursors = []

    def open(self):
        return MemoryStore()

    @property
    def newest(self):
        return self.base + len(self.states) - 1

    def state(self, revision):
        return self.states[revision - self.base]

    @property
    def now(self):
        return self.states[-1]

    @rule(changes=st.dictionaries(KEYS, st.none() | st.binary(max_size=2), max_size=3), guard=st.none() | KEYS)
    def write(self, changes, guard):
        revision = self.newest + 1
        expect = [Expect(guard, self.now[guard][1] if guard in self.now else 0)] if guard else []
        after, made = dict(self.now), []
        for key, value in changes.items():
            if value is not None:
                after[key] = (value, revision)
            elif after.pop(key, None) is None:
                continue
            made.append((key, value, revision))
        entries = self.store.transact(expect, [Delete(k) if v is None else Put(k, v) for k, v in changes.items()])
        assert [(entry.key, entry.value, entry.revision) for entry in entries] == made
        if made:
            self.states.append(after)
            self.log += made

    @rule(key=KEYS, off=st.integers(1, 3))
    def a_guard_that_is_wrong_changes_nothing(self, key, off):
        right = self.now[key][1] if key in self.now else 0
        assert self.store.transact([Expect(key, right + off)], [Put(key, b"never")]) is None

    @rule(prefix=PREFIXES, back=st.integers(0, 5), limit=st.integers(0, 3), start=st.just("") | KEYS)
    def read(self, prefix, back, limit, start):
        revision = self.newest - back
        if revision < max(1, self.compacted):
            return
        under = sorted(key for key in self.state(revision) if key.startswith(prefix))
        wanted = [key for key in under if key >= start]
        found = self.store.range(prefix, revision if back else 0, limit, start)
        shown = wanted[:limit] if limit else wanted
        assert [(e.key, (e.value, e.revision)) for e in found.entries] == [(k, self.state(revision)[k]) for k in shown]
        assert (found.more, found.count) == (len(shown) < len(wanted), len(wanted))
        assert [self.store.get(key, revision) for key in under] == self.store.range(prefix, revision).entries

    @precondition(lambda self: self.compacted < self.newest)
    @rule(data=st.data())
    def compact(self, data):
        self.compacted = data.draw(st.integers(self.compacted + 1, self.newest))
        self.store.compact(self.compacted)

    @rule(prefix=PREFIXES, ahead=st.integers(0, 2))
    def watch(self, prefix, ahead):
        after = self.newest + ahead
        self.cursors.append((self.store.watch(prefix, after), prefix, after))

    @rule(which=st.integers(0, 5), up_to=st.none() | st.integers(0, 30))
    def poll(self, which, up_to):
        if which >= len(self.cursors):
            return
        cursor, prefix, after = self.cursors[which]
        until = self.newest if up_to is None else min(up_to + self.base, self.newest)
        if after < self.compacted and after < until:
            with pytest.raises(Compacted):
                cursor.poll(None if up_to is None else up_to + self.base)
            self.cursors.pop(which)
            return
        wanted = [change for change in self.log if after < change[2] <= until and change[0].startswith(prefix)]
        assert [
            (entry.key, entry.value, entry.revision)
            for entry in cursor.poll(None if up_to is None else up_to + self.base)
        ] == wanted
        self.cursors[which] = (cursor, prefix, max(after, until))

    @invariant()
    def the_present_agrees(self):
        assert self.store.revision == self.newest
        assert {e.key: (e.value, e.revision) for e in self.store.range("").entries} == self.now
        assert self.store.count("") == len(self.now)
        kept = [change for change in self.log if change[2] > self.compacted]
        assert [(e.key, e.value, e.revision) for e in self.store.entries()] == kept


AgainstTheModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAgainstTheModel = AgainstTheModel.TestCase
