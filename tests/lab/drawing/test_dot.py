from __future__ import annotations

import subprocess

from k8slab.lab.drawing.collapse import complete
from k8slab.lab.drawing.dot import graph_dot
from k8slab.lab.drawing.layout import _program

from .samples import nasty, owners


def test_the_source_has_names_words_and_arrows():
    source = graph_dot(owners())
    assert '"Pod/a" [label="Pod\\nweb-7c5d-a\\nnginx\\nRunning"' in source
    assert '"Deployment/web" -> "ReplicaSet/web-7c5d" [label="owns"]' in source
    assert '"ReplicaSet/web-7c5d" -> "Pod/a" [style=dashed]' in source


def test_graphviz_reads_it_whatever_the_labels():
    for graph in (owners(), complete(nasty()[0])):
        done = subprocess.run(
            [_program(), "-Tplain"], input=graph_dot(graph), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
