"""AWS on this machine: moto's server, with what it lacks and the commands need put before it.

moto keeps stacks, tasks, parameters, snapshots, logs and buckets, and answers what was asked for
through boto3. It has no sessions, no agents and exit codes of tasks, and runs no functions: those
answers are ours, given by what a test has set.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from typing import Any

import boto3
import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

SIGNED_IN = {"aws_access_key_id": "made-up", "aws_secret_access_key": "made-up"}
REGION = "us-east-1"
SESSION = {"SessionId": "session-1", "TokenValue": "token-canary", "StreamUrl": "wss://nowhere"}
HEALTH = (
    "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member>"
    "<TargetHealth><State>{}</State></TargetHealth></member></TargetHealthDescriptions>"
    "</DescribeTargetHealthResult></DescribeTargetHealthResponse>"
)


class AWSServer:
    """The server, and what it should answer where moto cannot."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, self, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.client = cache(self._client)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.forget()

    def forget(self) -> None:
        """Begin anew, with an account that holds nothing."""
        self.asked: list[str] = []
        self.refused: dict[str, str] = {}
        self.agent = "RUNNING"
        self.ends_with: int | None = None
        self.ends_because = ""
        self.captured: dict[str, Any] = {}
        self.function_error = False
        self.session_request = ""
        self.stack_status = ""
        self.health = "healthy"
        with httpx.Client(trust_env=False, timeout=60) as client:
            client.post(f"{self.url}/moto-api/reset").raise_for_status()

    def _client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes its clients at run time
        """Return a client of a test's own."""
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **SIGNED_IN)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request: as a test has it, or as moto does."""
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = BytesIO(body)
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if not action and b"Action=" in body:
            action = body.split(b"Action=")[1].split(b"&")[0].decode()
        self.asked.append(action or f"{request.method} {request.path}")
        answer = self._own(action, request)
        if answer is None and action == "DescribeTasks":
            answer = self._tasks(environ)
        if answer is None and action == "DescribeStacks" and self.stack_status:
            answer = self._half_made(environ)
        return answer(environ, start_response) if answer else self.moto(environ, start_response)

    def _own(self, action: str, request: Request) -> Response | None:
        if action in self.refused:
            return _refusal(self.refused[action], as_json="X-Amz-Target" in request.headers)
        if action == "StartSession":
            self.session_request = request.get_data(as_text=True)
            return Response(json.dumps(SESSION), content_type="application/x-amz-json-1.1")
        if action == "TerminateSession":
            return Response(json.dumps({"SessionId": "session-1"}))
        if request.path.endswith("/invocations"):
            error = {"X-Amz-Function-Error": "Unhandled"} if self.function_error else {}
            return Response(json.dumps(self.captured), headers=error)
        if action == "DescribeTargetHealth":
            return Response(HEALTH.format(self.health), content_type="text/xml")
        return Response("live") if request.path == "/live" else None

    def _half_made(self, environ: dict[str, Any]) -> Response:
        """Return moto's stacks as CloudFormation tells of one whose creation has failed."""
        answer = Response.from_app(self.moto, environ)
        text = re.sub(r"<Outputs>.*?</Outputs>", "", answer.get_data(as_text=True), flags=re.DOTALL)
        text = text.replace(">CREATE_COMPLETE<", f">{self.stack_status}<")
        return Response(text, answer.status_code, content_type="text/xml")

    def _tasks(self, environ: dict[str, Any]) -> Response:
        """Return moto's tasks with the state that ECS would tell of them."""
        answer = Response.from_app(self.moto, environ)
        told = json.loads(answer.get_data())
        for task in told.get("tasks", []):
            container: dict[str, Any] = {
                "name": "coinlog",
                "runtimeId": f"{task['taskArn'].rpartition('/')[2]}-1",
                "managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": self.agent}],
            }
            ended = self.ends_with is not None or bool(self.ends_because)
            stopped = ended or task["desiredStatus"] == "STOPPED"
            task["lastStatus"] = "STOPPED" if stopped else "RUNNING"
            if self.ends_with is not None:
                container["exitCode"] = self.ends_with
            task["stoppedReason"] = self.ends_because
            task["containers"] = [container]
        return Response(json.dumps(told), content_type="application/x-amz-json-1.1")

    def stop(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


def _refusal(code: str, *, as_json: bool) -> Response:
    """Return what AWS says where it refuses, in the one or the other of its protocols."""
    message = "not allowed, says the test"
    if as_json:
        told = json.dumps({"__type": code, "message": message})
        return Response(told, 400, content_type="application/x-amz-json-1.1")
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(f"<ErrorResponse>{error}</ErrorResponse>", 400, content_type="text/xml")
