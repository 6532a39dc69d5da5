# %% [markdown] id="title"
# # Exercise: who takes the lease?
#
# Six points. About 20 minutes. You need chapter 10.
#
# Three schedulers want to lead, and one of them may.
# You write the decision that each of them makes every two seconds.
# It is put into real candidates, with clocks that show different times, crashes, and lines that are cut.

# %% id="setup"
from k8slab.client.leader_election import Record
from k8slab.clock import to_rfc3339_micro
from k8slab.lab.checks import election as check

# %% [markdown] id="task"
# ## Write `next_record`
#
# It returns the record that this candidate should write into the Lease now, or `None`: leave it alone.
#
# - `seen`: the record as this candidate has just read it. `None`: there is no Lease yet.
# - `seen_at`: when this candidate *first* saw the record as it is now, by its own clock, in seconds.
# - `me`: the candidate's identity.
# - `now`: the time, by its own clock.
#
# A `Record` has these fields, in this order:
#
# - `holder`: who has the lease. Empty: it was given back.
# - `lease_duration`: for how many seconds it holds. In what you return it can be 0: the candidate puts its own 15 s there.
# - `acquire_time`: since when the holder has had it. A text: `to_rfc3339_micro(now)`.
# - `renew_time`: when it was renewed last. A text, too.
# - `transitions`: how often it went from one to another.
#
# Two that write at the same moment are not your concern: each write carries the version that was read, and the API server refuses the second one.


# %% id="next-record-function" nbgrader={"grade": false, "grade_id": "next-record", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_record(seen, seen_at, me, now):
    ### BEGIN SOLUTION
    time = to_rfc3339_micro(now)
    if seen is None:
        return Record(me, 0, time, time, 0)
    if seen.holder == me:
        return Record(me, 0, seen.acquire_time, time, seen.transitions)
    if seen.holder and now < seen_at + seen.lease_duration:
        return None
    return Record(me, 0, time, time, seen.transitions + 1)
    ### END SOLUTION


# %% [markdown] id="try-intro"
# Try it: three schedulers for a minute, then the leader crashes.

# %% id="try"
with check.practice(next_record) as cluster:
    cluster.run_for("1m")
    print(cluster.kubectl("get lease -n kube-system"))
    for name in cluster.components:
        if name.endswith("/kube-scheduler"):
            cluster.crash(name.split("/")[0])
    cluster.run_for("1m")
    print(cluster.pictures.elections())

# %% [markdown] id="check-election"
# The judge has clusters of other seeds. `check.ELECTION.hint(1)` to `hint(3)` help.

# %% id="election-points" nbgrader={"grade": true, "grade_id": "election-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_election(next_record)
print(result)
result.points
