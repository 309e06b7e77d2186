"""Under a steady stream of creations and `failurePolicy: Fail`, nothing that ends is noticed."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.api import Api
from local.cluster import Cluster
from tests.cluster.kubectl import STARVED_SECONDS, Kubectl
from tests.cluster.stack import Stack, program_of_the_checkout

PATH = "/api/v1/namespaces/default/pods?dryRun=All"
SOURCE = "quay.io/team/app:1.0"


class Stream:
    """Asks the API server for Pods, without end, and keeps what it answered."""

    def __init__(self, api: Api) -> None:
        self._host = urlsplit(api.server).netloc
        self._context = api.context
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.images: list[str] = []
        self.times: list[float] = []
        self.refusals: list[str] = []

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = HTTPSConnection(self._host, context=self._context, timeout=30)
        number = 0
        while not self._stop.is_set():
            number += 1
            # Every few requests on a new connection, as other clients would come.
            if number % 20 == 0:
                connection.close()
            self._create(connection, number)
            time.sleep(0.005)
        connection.close()

    def _create(self, connection: HTTPSConnection, number: int) -> None:
        pod = {
            "metadata": {"name": f"stream-{number}"},
            "spec": {"containers": [{"name": "main", "image": SOURCE}]},
        }
        try:
            connection.request("POST", PATH, json.dumps(pod), {"content-type": "application/json"})
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, HTTPException) as error:
            self.refusals.append(f"{type(error).__name__}: {error}")
            return
        if response.status == 201:
            self.images.append(answer["spec"]["containers"][0]["image"])
            self.times.append(time.monotonic())
        else:
            self.refusals.append(answer["message"])


@pytest.fixture(scope="module")
def configure(hub: str) -> Callable[[Stack, str], None]:
    def with_target(stack: Stack, target: str) -> None:
        stack.configure(
            cluster="eks",
            namespace="handover",
            image=f"{hub}/python:3.11-slim",
            pack={"imageSwap": {"imageChange": f"default::\nquay.io::{target}"}},
            failurePolicy="Fail",
            missingImage="swap",
        )

    return with_target


@pytest.fixture(scope="module")
def stack(
    cluster: Cluster,
    configure: Callable[[Stack, str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    stack = program_of_the_checkout(tmp_path_factory.mktemp("handover"), cluster.environment())
    configure(stack, "first.example")
    stack.up()
    yield stack
    stack.destroy()


def test_nothing_is_refused_and_nothing_is_let_through(
    stack: Stack, cluster: Cluster, kubectl: Kubectl, configure: Callable[[Stack, str], None]
) -> None:
    with Stream(Api.of(cluster.kubeconfig, cluster.server)) as stream:
        time.sleep(1)
        configure(stack, "second.example")
        stack.up()
        up_ended = time.monotonic()
        for _ in range(2):
            pods = kubectl("get", "pods", "--namespace=handover", "--output=name").split()
            kubectl("delete", "--namespace=handover", random.choice(pods))
            kubectl(
                "rollout", "status", "deployment/imageswap", "--namespace=handover", "--timeout=60s"
            )
        time.sleep(STARVED_SECONDS)
    assert stream.refusals == []
    assert set(stream.images) == {"first.example/team/app:1.0", "second.example/team/app:1.0"}
    answers = zip(stream.times, stream.images, strict=True)
    late = [image for at, image in answers if at > up_ended + STARVED_SECONDS]
    assert set(late) == {"second.example/team/app:1.0"}
    assert len(stream.images) > 500
