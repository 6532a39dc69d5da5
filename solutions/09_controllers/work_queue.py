# %% [markdown] id="title"
# # Exercise: the queue
#
# Six points. About 20 minutes. You need chapter 09.
#
# Between the watch and the work of every controller stands a queue of keys.
# It is small, and a lot depends on it. You write it, and two controllers of a real cluster use yours.

# %% [markdown] id="task"
# ## Write `Queue`
#
# - `add(key)`: something has changed about this key.
# - `get()`: the next key to work on, or `None` if there is none now.
# - `done(key)`: the work on it is over.
#
# The rules:
#
# 1. Keys come out in the order in which they went in.
# 2. A key that was added many times comes out once: many events make one reconcile.
# 3. A key that somebody works on is not given to anybody else.
# 4. If it was added meanwhile, it comes back after `done`. Something has changed that the work may not have seen.


# %% id="queue" nbgrader={"grade": false, "grade_id": "queue", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Queue:
    ### BEGIN SOLUTION
    def __init__(self):
        self.waiting = []
        self.news = set()
        self.working = set()

    def add(self, key):
        if key in self.news:
            return
        self.news.add(key)
        if key not in self.working:
            self.waiting.append(key)

    def get(self):
        if not self.waiting:
            return None
        key = self.waiting.pop(0)
        self.news.discard(key)
        self.working.add(key)
        return key

    def done(self, key):
        self.working.discard(key)
        if key in self.news:
            self.waiting.append(key)

    ### END SOLUTION


# %% [markdown] id="try-intro"
# Try it. What should each `get` give?

# %% id="try"
from k8slab.lab.checks import work_queue as check

check.practice(Queue, "add a", "add b", "add a", "get", "add a", "get", "get", "done a", "get")

# %% [markdown] id="check-read"
# The judge tries each rule, then forty random uses, then clusters, one of which has slow watches.
# `check.QUEUE.hint(1)` to `hint(3)` help.

# %% id="queue-points" nbgrader={"grade": true, "grade_id": "queue-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_queue(Queue)
print(result)
result.points
