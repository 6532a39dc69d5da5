"""What every runtime promises: one suite for the simulated one and for Docker."""

from __future__ import annotations

import ipaddress

import orjson
import pytest

from k8slab.clock import from_rfc3339
from k8slab.cri.api import ContainerConfig, ContainerState, CriError, LogOptions, Mount, Resources, SandboxState
from tests.cri.harness import AGNHOST, BOOTCAMP, BUSYBOX, NGINX, STRESS, split

# The node.


def test_names_itself_and_is_well(node):
    assert node.runtime.version().name
    assert node.runtime.status() == {}


def test_knows_when_it_can_change_or_says_that_it_does_not(node):
    change = node.runtime.next_change()
    assert change is None or change >= node.now()


# Sandboxes.


def test_a_sandbox_is_seen_as_it_was_asked_for(node):
    made = node.sandbox("web", labels={"app": "web"}, annotations={"note": "a/b=c"})
    (seen,) = node.runtime.list_pod_sandboxes()
    assert (seen.id, seen.name, seen.namespace, seen.uid, seen.attempt) == (made, "web", "default", "uid-web", 0)
    assert seen.state is SandboxState.READY
    assert seen.labels["app"] == "web"
    assert seen.annotations["note"] == "a/b=c"
    assert abs(seen.created_at - node.now()) < 30


def test_every_sandbox_has_an_address_of_its_own(node):
    node.sandbox("one"), node.sandbox("two")
    one, two = (ipaddress.ip_address(sandbox.ip) for sandbox in node.runtime.list_pod_sandboxes())
    assert one != two


def test_sandboxes_come_oldest_first(node):
    made = [node.sandbox(name) for name in ("b", "a", "c")]
    assert [sandbox.id for sandbox in node.runtime.list_pod_sandboxes()] == made


def test_a_sandbox_is_made_once_for_each_attempt(node):
    node.sandbox("web")
    with pytest.raises(CriError) as raised:
        node.sandbox("web")
    assert raised.value.code == "AlreadyExists"
    assert node.sandbox("web", attempt=1)


def test_stopping_a_sandbox_kills_what_runs_in_it(node):
    container = node.shell("sleep 1000")
    sandbox = node.status(container).sandbox_id
    node.runtime.stop_pod_sandbox(sandbox)
    (seen,) = node.runtime.list_pod_sandboxes()
    assert seen.state is SandboxState.NOTREADY
    assert node.status(container).state is ContainerState.EXITED
    node.runtime.stop_pod_sandbox(sandbox)


def test_a_stopped_sandbox_takes_no_container(node):
    sandbox = node.sandbox()
    node.runtime.stop_pod_sandbox(sandbox)
    with pytest.raises(CriError):
        node.create("true", sandbox=sandbox)


def test_removing_a_sandbox_removes_its_containers(node):
    container = node.shell("sleep 1000")
    node.runtime.remove_pod_sandbox(node.status(container).sandbox_id)
    assert node.runtime.list_pod_sandboxes() == []
    assert node.runtime.list_containers() == []


def test_stopping_and_removing_what_is_not_there_is_fine(node):
    node.runtime.stop_pod_sandbox("0" * 64)
    node.runtime.remove_pod_sandbox("0" * 64)
    node.runtime.remove_container("0" * 64)
    assert node.runtime.stop_container("0" * 64, 1) == 0


# Containers: life.


def test_a_container_is_created_runs_and_ends(node):
    container = node.create("sh", "-c", "sleep 0.3")
    assert node.status(container).state is ContainerState.CREATED
    node.runtime.start_container(container)
    running = node.status(container)
    assert (running.state, running.reason, running.finished_at) == (ContainerState.RUNNING, "", 0.0)
    ended = node.ended(container)
    assert (ended.exit_code, ended.reason) == (0, "Completed")
    assert ended.created_at <= ended.started_at < ended.finished_at


def test_a_container_is_seen_as_it_was_asked_for(node):
    container = node.create("true", name="main", attempt=3, labels={"l": "1"}, annotations={"a": "x y"})
    seen = node.status(container)
    assert (seen.name, seen.attempt, seen.image) == ("main", 3, BUSYBOX)
    assert (seen.labels["l"], seen.annotations["a"]) == ("1", "x y")
    assert seen.sandbox_id == node.runtime.list_pod_sandboxes()[0].id
    assert "sha256:" in seen.image_ref


def test_containers_come_oldest_first(node):
    sandbox = node.sandbox()
    made = [node.create("true", sandbox=sandbox, name=name) for name in ("b", "a", "c")]
    assert [container.id for container in node.runtime.list_containers()] == made


def test_a_failing_container_tells_its_exit_code(node):
    ended = node.ended(node.shell("exit 3"))
    assert (ended.exit_code, ended.reason) == (3, "Error")


def test_a_command_that_is_not_there_cannot_run(node):
    container = node.create("/no/such/program")
    with pytest.raises(CriError, match="no such file or directory"):
        node.runtime.start_container(container)
    seen = node.status(container)
    assert (seen.state, seen.reason) == (ContainerState.EXITED, "ContainerCannotRun")
    assert "no such file" in seen.message
    assert seen.exit_code in (127, 128)


def test_a_container_needs_an_image_on_the_node(node):
    config = ContainerConfig("c", "docker.io/library/absent:1")
    with pytest.raises(CriError) as raised:
        node.runtime.create_container(node.sandbox(), config, node.sandbox_config)
    assert raised.value.code == "NotFound"


def test_a_container_needs_a_sandbox(node):
    with pytest.raises(CriError) as raised:
        node.create("true", sandbox="0" * 64)
    assert raised.value.code == "NotFound"


def test_an_unknown_container_has_no_status(node):
    with pytest.raises(CriError) as raised:
        node.status("0" * 64)
    assert raised.value.code == "NotFound"


def test_a_container_starts_once(node):
    container = node.shell("sleep 1000")
    with pytest.raises(CriError):
        node.runtime.start_container(container)


def test_a_restart_is_a_new_attempt_in_the_same_sandbox(node):
    sandbox = node.sandbox()
    for attempt in (0, 1):
        node.ended(node.shell("true", sandbox=sandbox, name="main", attempt=attempt))
    assert [container.attempt for container in node.runtime.list_containers()] == [0, 1]


def test_removing_a_running_container_kills_it(node):
    container = node.shell("sleep 1000")
    node.runtime.remove_container(container)
    assert node.runtime.list_containers() == []


# Containers: the end.


def stop(node, container: str, timeout: float):
    node.wait(node.runtime.stop_container(container, timeout))
    return node.status(container)


def test_stopping_lets_a_container_leave_politely(node):
    container = node.shell("trap 'echo bye; exit 7' TERM; echo ready; sleep 1000 & wait")
    node.until(lambda: "ready" in node.output(container))
    ended = stop(node, container, 10)
    assert (ended.state, ended.exit_code) == (ContainerState.EXITED, 7)
    assert node.output(container) == "ready\nbye\n"


def test_stopping_kills_what_does_not_leave(node):
    ended = stop(node, node.shell("sleep 1000"), 1)
    assert (ended.state, ended.exit_code, ended.reason) == (ContainerState.EXITED, 137, "Error")


def test_stopping_what_has_ended_is_fine(node):
    container = node.shell("exit 3")
    node.ended(container)
    assert node.runtime.stop_container(container, 5) == 0
    assert node.status(container).exit_code == 3


def test_the_kernel_kills_who_takes_too_much_memory(node):
    limits = Resources(memory_bytes=32 << 20)
    container = node.start(image=STRESS, args=("stress", "--vm", "1", "--vm-bytes", "150M"), resources=limits)
    ended = node.ended(container)
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_the_termination_message_is_kept(node):
    ended = node.ended(node.shell("echo -n it broke > /dev/termination-log; exit 1"))
    assert ended.message == "it broke"


# Containers: what they are given.


def test_command_and_args_replace_the_images(node):
    assert node.ended(node.start("echo", args=("a", "b c"))).exit_code == 0
    assert node.output(node.runtime.list_containers()[0].id) == "a b c\n"


def test_args_alone_keep_the_images_entrypoint(node):
    container = node.start(image=AGNHOST, args=("netexec", "--http-port=8080"))
    node.until(lambda: "Started HTTP server on port 8080" in node.output(container))


def test_environment_directory_and_host_name(node):
    sandbox = node.sandbox("box")
    script = "echo $COLOR $SENTENCE; pwd; hostname"
    env = (("COLOR", "blue"), ("SENTENCE", "a b"))
    container = node.shell(script, sandbox=sandbox, env=env, working_dir="/tmp")
    node.ended(container)
    assert node.output(container) == "blue a b\n/tmp\nbox\n"


def test_containers_share_what_both_mount(node):
    host = str(node.directory / "volume")
    sandbox = node.sandbox()
    node.ended(node.shell("echo hello > /data/file", sandbox=sandbox, mounts=(Mount("/data", host),)))
    reader = node.shell("cat /in/file", sandbox=sandbox, mounts=(Mount("/in", host, readonly=True),))
    node.ended(reader)
    assert node.output(reader) == "hello\n"


def test_a_readonly_mount_cannot_be_written(node):
    mounts = (Mount("/in", str(node.directory / "volume"), readonly=True),)
    container = node.shell("echo x > /in/file", mounts=mounts)
    assert node.ended(container).exit_code != 0
    assert "Read-only file system" in node.output(container)


def test_containers_of_a_sandbox_share_its_network(node):
    sandbox = node.sandbox("web")
    node.start("/agnhost", "netexec", "--http-port=8080", image=AGNHOST, sandbox=sandbox)
    client = node.shell("sleep 1000", sandbox=sandbox)
    assert node.get(client, "http://localhost:8080/hostname") == "web"


def test_a_pod_reaches_another_by_its_address(node):
    server = node.start("/agnhost", "netexec", "--http-port=8080", image=AGNHOST)
    ip = next(
        sandbox.ip for sandbox in node.runtime.list_pod_sandboxes() if sandbox.id == node.status(server).sandbox_id
    )
    client = node.shell("sleep 1000")
    assert node.get(client, f"http://{ip}:8080/echo?msg=hello") == "hello"


def test_usage_is_measured(node):
    container = node.shell("sleep 1000")
    node.until(lambda: node.runtime.container_stats(container).memory_bytes > 0)
    assert node.runtime.container_stats(container).cpu_nanos >= 0


# Logs.


def lines(node, script: str) -> str:
    """A container that ran a script to its end."""
    container = node.shell(script)
    node.ended(container)
    return container


def test_a_log_keeps_both_channels_apart(node):
    container = lines(node, "echo out; echo err >&2")
    assert sorted(node.chunks(container)) == [(1, b"out\n"), (2, b"err\n")]


def test_a_log_outlives_its_container(node):
    container = lines(node, "printf 'no newline'")
    assert node.output(container) == "no newline"


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"tail": 2}, "2\n3\n"), ({"tail": 0}, ""), ({"tail": 9}, "1\n2\n3\n"), ({"limit_bytes": 3}, "1\n2")],
)
def test_part_of_a_log(node, options, expected):
    assert node.output(lines(node, "echo 1; echo 2; echo 3"), **options) == expected


def test_a_log_since_a_moment(node):
    container = node.shell("echo early; sleep 1.5; echo late; sleep 1000")
    node.until(lambda: "late" in node.output(container))
    late = node.output(container, timestamps=True).splitlines()[1].split()[0]
    moment = from_rfc3339(late[:26].rstrip("Z") + "Z")
    assert node.output(container, since=moment - 0.5) == "late\n"
    assert node.output(container, since=moment + 60) == ""


def test_timestamps_stand_before_each_line(node):
    stamp, _, text = node.output(lines(node, "echo hello"), timestamps=True).partition(" ")
    assert text == "hello\n"
    assert stamp.endswith("Z")
    assert "T" in stamp


def test_following_a_log_ends_with_the_container(node):
    container = node.shell("echo 1; sleep 0.5; echo 2; sleep 0.5; echo 3")
    assert node.output(container, follow=True) == "1\n2\n3\n"


def test_following_begins_after_the_tail(node):
    container = node.shell("echo 1; echo 2; sleep 0.7; echo 3")
    node.until(lambda: "2" in node.output(container))
    assert node.output(container, follow=True, tail=1) == "2\n3\n"


def test_a_log_of_nobody_is_not_found(node):
    with pytest.raises(CriError):
        node.runtime.logs("0" * 64, LogOptions(), lambda: None)


def test_a_closed_log_says_no_more(node):
    container = node.shell("while true; do echo tick; sleep 0.1; done")
    stream = node.runtime.logs(container, LogOptions(follow=True), lambda: None)
    node.wait(0.3)
    stream.close()
    stream.close()
    assert stream.closed
    assert stream.poll() == []


# Exec.


def test_exec_sync_gives_output_and_exit_code(node):
    result = node.runtime.exec_sync(node.shell("sleep 1000"), ("sh", "-c", "echo out; echo err >&2; exit 4"), 5)
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 4)


def test_exec_sync_gives_up_in_time(node):
    with pytest.raises(CriError) as raised:
        node.runtime.exec_sync(node.shell("sleep 1000"), ("sleep", "30"), 0.5)
    assert raised.value.code == "DeadlineExceeded"


def test_exec_needs_a_running_container(node):
    container = lines(node, "true")
    with pytest.raises(CriError):
        node.runtime.exec_sync(container, ("true",), 5)
    with pytest.raises(CriError):
        node.runtime.exec(container, ("true",), stdin=False, tty=False, wake=lambda: None)


def test_exec_sync_of_what_is_not_there_is_an_error(node):
    with pytest.raises(CriError, match="executable file not found"):
        node.runtime.exec_sync(node.shell("sleep 1000"), ("nosuchthing",), 5)


def test_exec_ends_with_its_status(node):
    out, err, status = node.exec(node.shell("sleep 1000"), "sh", "-c", "echo out; echo err >&2")
    assert (out, err, status["status"]) == (b"out\n", b"err\n", "Success")


def test_exec_tells_the_exit_code(node):
    _, _, status = node.exec(node.shell("sleep 1000"), "sh", "-c", "exit 3")
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert status["message"] == "command terminated with non-zero exit code: exit status 3"


def test_exec_of_what_is_not_there_fails(node):
    _, _, status = node.exec(node.shell("sleep 1000"), "nosuchthing")
    assert status["status"] == "Failure"


def test_exec_reads_what_is_sent(node):
    out, _, status = node.exec(node.shell("sleep 1000"), "cat", stdin=b"one\ntwo\n")
    assert (out, status["status"]) == (b"one\ntwo\n", "Success")


def test_exec_with_a_terminal_echoes_and_ends_lines_with_cr(node):
    stream = node.runtime.exec(node.shell("sleep 1000"), ("sh",), stdin=True, tty=True, wake=lambda: None)
    stream.send(4, orjson.dumps({"Width": 120, "Height": 40}))
    stream.send(0, b"echo $((6*7))\n")
    chunks = []
    node.until(lambda: chunks.extend(stream.poll()) or b"42\r\n" in split(chunks)[0])
    stream.send(0, b"exit 5\n")
    chunks += node.drain(stream)
    out, err, status = split(chunks)
    assert b"echo $((6*7))\r\n42\r\n" in out
    assert err == b""
    assert status["details"]["causes"][0]["message"] == "5"


def test_closing_an_exec_ends_it(node):
    container = node.shell("sleep 1000")
    stream = node.runtime.exec(container, ("sh",), stdin=True, tty=False, wake=lambda: None)
    stream.close()
    stream.close()
    assert stream.closed


def test_attached_one_sees_what_is_written_from_now_on(node):
    container = node.shell("echo before; while [ ! -e /go ]; do sleep 0.1; done; echo after")
    node.until(lambda: node.output(container))
    stream = node.runtime.attach(container, stdin=False, tty=False, wake=lambda: None)
    node.runtime.exec_sync(container, ("touch", "/go"), 5)
    out, _, status = split(node.drain(stream))
    assert (out, status["status"]) == (b"after\n", "Success")


def test_attached_one_speaks_to_the_containers_own_process(node):
    container = node.shell("read x; echo got $x", stdin=True, stdin_once=True)
    stream = node.runtime.attach(container, stdin=True, tty=False, wake=lambda: None)
    stream.send(0, b"hello\n")
    assert split(node.drain(stream))[0] == b"got hello\n"
    assert node.ended(container).exit_code == 0


def test_a_container_without_input_takes_none(node):
    container = node.shell("read x; echo got $x")
    assert node.ended(container).exit_code == 0
    assert node.output(container) == "got\n"


def test_leaving_leaves_the_process_alone(node):
    container = node.shell("sleep 1000", stdin=True)
    stream = node.runtime.attach(container, stdin=True, tty=False, wake=lambda: None)
    stream.close()
    stream.close()
    assert stream.closed
    assert node.status(container).state is ContainerState.RUNNING


def test_a_forwarded_connection_carries_bytes_both_ways(node):
    sandbox = node.sandbox("web")
    node.start("/agnhost", "netexec", "--http-port=8080", image=AGNHOST, sandbox=sandbox)
    client = node.shell("sleep 1000", sandbox=sandbox)
    node.get(client, "http://127.0.0.1:8080/")
    stream = node.runtime.port_forward(sandbox, 8080, lambda: None)
    stream.send(0, b"GET /hostname HTTP/1.1\r\nHost: x\r\n")
    stream.send(0, b"Connection: close\r\n\r\n")
    answer = split(node.drain(stream))[0]
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nweb")


def test_where_nobody_listens_a_forwarded_connection_says_so(node):
    stream = node.runtime.port_forward(node.sandbox(), 81, lambda: None)
    said = [(channel, data) for channel, data in node.drain(stream) if channel == 3]
    assert said[0][1].startswith(b"dial tcp4 ")
    assert said[0][1].endswith(b":81: connect: connection refused")


# Images.


def test_an_image_is_there_once_it_is_pulled(node):
    node.runtime.remove_image(BUSYBOX)
    assert node.runtime.image_status(BUSYBOX) is None
    node.pull(BUSYBOX)
    image = node.runtime.image_status(BUSYBOX)
    assert image.size > 0
    assert any("busybox:1.36" in tag for tag in image.tags)
    assert any(image.id == other.id for other in node.runtime.list_images())


def test_short_names_mean_the_same_image(node):
    node.pull("busybox:1.36")
    assert node.runtime.image_status("docker.io/library/busybox:1.36") == node.runtime.image_status("busybox:1.36")


def test_removing_an_unknown_image_is_fine(node):
    node.runtime.remove_image("docker.io/library/absent:1")


def test_an_image_that_is_nowhere_cannot_be_pulled(node):
    with pytest.raises(CriError):
        node.runtime.pull_image("gcr.io/google-samples/kubernetes-bootcamp:v10")
    assert node.runtime.image_status("gcr.io/google-samples/kubernetes-bootcamp:v10") is None


def test_a_malformed_reference_is_refused(node):
    with pytest.raises(CriError) as raised:
        node.runtime.pull_image("Nginx:!!")
    assert raised.value.code == "InvalidArgument"


# The teaching images.


def serve(node, image: str, *command: str) -> str:
    sandbox = node.sandbox("web")
    node.start(*command, image=image, sandbox=sandbox)
    return node.shell("sleep 1000", sandbox=sandbox)


def test_netexec_answers_as_the_tutorials_show(node):
    client = serve(node, AGNHOST, "/agnhost", "netexec", "--http-port=8080")
    assert node.get(client, "http://127.0.0.1:8080/").startswith("NOW: 20")
    assert node.get(client, "http://127.0.0.1:8080/hostname") == "web"
    assert node.get(client, "http://127.0.0.1:8080/echo?msg=hi") == "hi"
    assert node.get(client, "http://127.0.0.1:8080/clientip").startswith("127.0.0.1:")
    assert node.get(client, "http://127.0.0.1:8080/healthz") == "ok"


def test_netexec_knows_no_other_path(node):
    client = serve(node, AGNHOST, "/agnhost", "netexec", "--http-port=9090")
    node.get(client, "http://127.0.0.1:9090/")
    result = node.runtime.exec_sync(client, ("wget", "-qO-", "http://127.0.0.1:9090/nothing"), 5)
    assert result.exit_code == 1
    assert b"404" in result.stderr


def test_the_bootcamp_says_where_it_runs(node):
    client = serve(node, BOOTCAMP)
    assert node.get(client, "http://localhost:8080/") == "Hello Kubernetes bootcamp! | Running on: web | v=1\n"


def test_nginx_serves_its_welcome_page(node):
    client = serve(node, NGINX)
    assert "Welcome to nginx!" in node.get(client, "http://localhost/")


def test_a_stopped_netexec_is_a_go_program_killed_by_sigterm(node):
    container = node.start("/agnhost", "netexec", image=AGNHOST)
    node.until(lambda: "Started" in node.output(container))
    assert stop(node, container, 10).exit_code == 2


def test_a_stopped_nginx_leaves_politely(node):
    container = node.start(image=NGINX)
    node.until(lambda: "start worker process" in node.output(container))
    assert stop(node, container, 10).exit_code == 0
