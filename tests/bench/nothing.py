"""A webhook that does nothing: what the server under the webhook takes by itself.

Run as ``python nothing.py ARCHIVE OPTIONS``, or with ``-`` for what is installed: it takes the
server's code from there, listens as the webhook does, reads each body and answers a constant.
"""

import argparse
import sys
from pathlib import Path


def main() -> None:
    archive, *options = sys.argv[1:]
    if archive != "-":
        sys.path.insert(0, archive)

    from imageswap.admission.decision import Policy
    from imageswap.rules.ruleset import load
    from imageswap.server.app import Application, Mode
    from imageswap.server.http import Receive, Scope, Send
    from imageswap.server.metrics import Metrics
    from imageswap.server.runner import Listener, RuleFiles, serve

    answer = (
        b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":'
        b'{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}'
    )
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ],
    }
    body = {"type": "http.response.body", "body": answer}

    class Nothing(Application):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive()).get("more_body"):
                pass
            await send(start)
            await send(body)

    parser = argparse.ArgumentParser()
    parser.add_argument("--tls-cert", type=Path, required=True)
    parser.add_argument("--tls-key", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given, _ = parser.parse_known_args(options)
    ruleset, metrics = load([]), Metrics()
    serve(
        Nothing(ruleset, Policy(), Mode(), metrics),
        metrics,
        Listener("127.0.0.1", given.port, 0, given.tls_cert, given.tls_key, 0.0),
        RuleFiles((), lambda: ruleset),
    )


if __name__ == "__main__":
    main()
