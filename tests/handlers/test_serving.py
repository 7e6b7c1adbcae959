"""handlers.serving: the model is named when no other one can have answered, and never else."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import event, given
from hypothesis import strategies as st

from handlers.serving import STANDS_SECONDS, Watch, describe_endpoint, serves_alone

OURS, THEIRS = "configuration-ours", "configuration-theirs"
PENDING = {"EndpointConfigName": THEIRS, "StartTime": 1.0}


def description(status: str = "InService", configuration: str = OURS, **more: object) -> Mapping[str, object]:
    return {"EndpointConfigName": configuration, "EndpointStatus": status, **more}


@pytest.mark.parametrize("status", ["InService", "SystemUpdating"])
def test_an_endpoint_at_rest_with_our_configuration_serves_our_model(status: str):
    assert serves_alone(description(status), OURS)


def test_a_scaling_serves_the_same_model():
    assert serves_alone(description("Updating"), OURS)


@pytest.mark.parametrize("status", ["Updating", "InService", "Creating"])
def test_a_pending_deployment_may_answer_with_either_model(status: str):
    assert not serves_alone(description(status, PendingDeploymentSummary=PENDING), OURS)


@pytest.mark.parametrize(
    "status", ["Creating", "RollingBack", "UpdateRollbackFailed", "Failed", "OutOfService", "Deleting", "", "New"]
)
def test_in_any_other_status_it_is_not_known_which_model_serves(status: str):
    assert not serves_alone(description(status), OURS)


def test_another_configuration_is_another_model():
    assert not serves_alone(description(configuration=THEIRS), OURS)


def test_an_answer_without_what_is_asked_tells_nothing():
    assert not serves_alone({}, OURS)


class Sagemaker:
    """Gives `answers` one after the other, the last one for ever; an exception is raised. Its clock is ours to set."""

    def __init__(self, *answers: Mapping[str, object] | Exception) -> None:
        self.answers, self.asked, self.now, self.said = list(answers), 0, 1000.0, []

    def describe(self) -> Mapping[str, object]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def watch(self) -> Watch:
        return Watch(OURS, self.describe, self.said.append, clock=lambda: self.now)


def test_sagemaker_is_asked_once_in_half_of_the_time_for_which_it_is_believed():
    sagemaker = Sagemaker(description())
    watch = sagemaker.watch()
    for second in range(0, 60, 5):
        sagemaker.now = 1000.0 + second
        watch.look()
        assert watch.was_alone()
    assert sagemaker.asked == 2


def test_an_invocation_that_outlasts_the_answer_names_no_model():
    sagemaker = Sagemaker(description())
    watch = sagemaker.watch()
    watch.look()
    sagemaker.now += STANDS_SECONDS
    assert watch.was_alone()
    sagemaker.now += 1
    assert not watch.was_alone()


def test_the_answer_is_as_old_as_the_question():
    sagemaker = Sagemaker(description())

    def slowly() -> Mapping[str, object]:
        sagemaker.now += 2
        return description()

    watch = Watch(OURS, slowly, sagemaker.said.append, clock=lambda: sagemaker.now)
    watch.look()
    sagemaker.now += STANDS_SECONDS - 1
    assert not watch.was_alone()


def test_a_deployment_that_is_seen_is_believed_at_once():
    sagemaker = Sagemaker(description(), description("Updating", PendingDeploymentSummary=PENDING))
    watch = sagemaker.watch()
    watch.look()
    sagemaker.now += STANDS_SECONDS / 2
    watch.look()
    assert not watch.was_alone()


def test_one_failure_does_not_unsay_what_still_stands_and_is_told():
    sagemaker = Sagemaker(description(), TimeoutError("slow"), description())
    watch = sagemaker.watch()
    watch.look()
    sagemaker.now += 31
    watch.look()
    assert watch.was_alone()
    assert sagemaker.said == ["SageMaker does not say which model serves: TimeoutError: slow"]
    sagemaker.now += 30
    assert not watch.was_alone()
    watch.look()
    assert watch.was_alone()


def test_a_control_plane_that_fails_is_not_asked_for_every_photo():
    sagemaker = Sagemaker(OSError("denied"))
    watch = sagemaker.watch()
    for _ in range(20):
        watch.look()
        assert not watch.was_alone()
        sagemaker.now += 1
    assert sagemaker.asked == 1


def test_a_clock_that_is_set_back_leaves_the_model_unknown_until_sagemaker_is_asked_again():
    sagemaker = Sagemaker(description())
    watch = sagemaker.watch()
    watch.look()
    sagemaker.now -= 3600
    assert not watch.was_alone()
    watch.look()
    assert watch.was_alone() and sagemaker.asked == 2


@dataclass
class Endpoint:
    """An endpoint's life: from each moment on, what DescribeEndpoint tells and which configurations may answer."""

    times: list[float] = field(default_factory=lambda: [0.0])
    told: list[Mapping[str, object]] = field(default_factory=lambda: [description()])
    answering: list[frozenset[str]] = field(default_factory=lambda: [frozenset({OURS})])

    def then(self, seconds: float, told: Mapping[str, object], *answering: str) -> None:
        """What was so until now lasts so many seconds more; after it this."""
        self.times.append(self.times[-1] + seconds)
        self.told.append(told)
        self.answering.append(frozenset(answering))

    def describe(self, now: float) -> Mapping[str, object]:
        return [told for time, told in zip(self.times, self.told, strict=True) if time <= now][-1]

    def may_have_answered(self, begin: float, end: float) -> frozenset[str]:
        ends = [*self.times[1:], float("inf")]
        lives = zip(self.times, ends, self.answering, strict=True)
        return frozenset().union(*(who for since, until, who in lives if since <= end and until > begin))


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """Deployments that complete or are taken back, scalings, maintenance: as SageMaker tells of them."""
    endpoint, serving = Endpoint(), OURS
    for kind in draw(st.lists(st.sampled_from(["deployment", "scaling", "maintenance"]), max_size=6)):
        rest = draw(st.floats(0, 200))
        if kind != "deployment":
            status = "Updating" if kind == "scaling" else "SystemUpdating"
            endpoint.then(rest, description(status, serving), serving)
            endpoint.then(draw(st.floats(0.1, 200)), description(configuration=serving), serving)
            continue
        new = draw(st.sampled_from([OURS, THEIRS, "configuration-third"]))
        pending = description("Updating", serving, PendingDeploymentSummary={**PENDING, "EndpointConfigName": new})
        endpoint.then(rest, pending, serving)
        # the law holds because new instances take longer to come up than an answer is believed
        endpoint.then(draw(st.floats(STANDS_SECONDS + 0.01, 600)), pending, serving, new)
        serving = draw(st.sampled_from([serving, new]))
        endpoint.then(draw(st.floats(0.01, 600)), description(configuration=serving), serving)
    return endpoint


@dataclass(frozen=True)
class Photo:
    """When it comes after the one before, and how long question and invocation take; `fails`: the question does."""

    after: float
    asking: float
    invoking: float
    fails: bool


PHOTOS = st.lists(
    st.builds(
        Photo, st.floats(0, 150), st.floats(0, 2), st.floats(0, 25), st.sampled_from([False, False, False, True])
    ),
    min_size=1,
    max_size=25,
)


@given(endpoints(), PHOTOS, st.floats(0, 1))
def test_no_decision_names_a_model_that_may_not_have_answered(endpoint: Endpoint, photos: list[Photo], part: float):
    now, photo = 0.0, photos[0]

    def describe() -> Mapping[str, object]:
        nonlocal now
        # read at some moment of the request
        told = endpoint.describe(now + part * photo.asking)
        now += photo.asking
        if photo.fails:
            raise TimeoutError
        return told

    watch = Watch(OURS, describe, lambda said: None, clock=lambda: now)
    for photo in photos:
        now += photo.after
        watch.look()
        began = now
        now += photo.invoking
        if watch.was_alone():
            event("named")
            assert endpoint.may_have_answered(began, now) == {OURS}
        else:
            event("unknown")


@given(PHOTOS)
def test_every_decision_names_the_model_while_nothing_is_deployed(photos: list[Photo]):
    now = 0.0
    watch = Watch(OURS, description, pytest.fail, clock=lambda: now)
    for photo in photos:
        now += photo.after
        watch.look()
        now += photo.invoking
        assert watch.was_alone()


Answer = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes]]


@pytest.fixture
def control_plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], botocore.session.Session]]:
    """Serves `answer` as SageMaker's control plane; gives the session that asks it."""
    servers: list[HTTPServer] = []

    def serve(answer: Answer) -> botocore.session.Session:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, body = answer(self, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL_SAGEMAKER": f"http://127.0.0.1:{server.server_port}",
        }.items():
            monkeypatch.setenv(name, value)
        return botocore.session.get_session()

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_sagemaker_is_asked_as_its_own_client_asks(control_plane: Callable[[Answer], botocore.session.Session]):
    heard: list[tuple[dict[str, str], bytes]] = []

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        heard.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return 200, json.dumps(description()).encode()

    session = control_plane(answer)
    assert describe_endpoint(session, "scones-dev") == description()
    assert session.create_client("sagemaker").describe_endpoint(EndpointName="scones-dev")["EndpointConfigName"] == OURS
    (ours, body), (theirs, wanted) = heard
    assert json.loads(body) == json.loads(wanted)
    for name in ("x-amz-target", "content-type", "x-amz-security-token", "host"):
        assert ours[name] == theirs[name], name

    def scope(headers: dict[str, str]) -> list[str]:
        credential = headers["authorization"].split("Credential=")[1].split(",")[0]
        return credential.split("/")

    # key, day, region, service, and the version of the signature
    assert scope(ours) == scope(theirs)
    assert scope(ours)[2:] == ["eu-central-1", "sagemaker", "aws4_request"]


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_each_partition_has_its_own_address(region: str, monkeypatch: pytest.MonkeyPatch):
    addresses: list[str] = []

    def send(self: object, request: object) -> object:
        addresses.append(request.url)
        raise TimeoutError

    monkeypatch.setattr("handlers.serving.URLLib3Session.send", send)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SAGEMAKER", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": region,
    }.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.get_session()
    with pytest.raises(TimeoutError):
        describe_endpoint(session, "scones-dev")
    assert addresses == [f"{session.create_client('sagemaker').meta.endpoint_url}/"]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b'{"__type": "AccessDeniedException"}', "400 .*AccessDenied"),
        (200, b"<html>", "Expecting value"),
        (503, b"", "503"),
    ],
)
def test_a_refusal_is_an_error(
    status: int, body: bytes, words: str, control_plane: Callable[[Answer], botocore.session.Session]
):
    session = control_plane(lambda request, asked: (status, body))
    with pytest.raises((OSError, ValueError), match=words):
        describe_endpoint(session, "scones-dev")


def test_a_control_plane_that_does_not_answer_is_given_up_soon(
    control_plane: Callable[[Answer], botocore.session.Session], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("handlers.serving.TIMEOUT_SECONDS", 0.1)
    answered = threading.Event()
    session = control_plane(lambda request, asked: (answered.wait(5), (200, b"{}"))[1])
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        describe_endpoint(session, "scones-dev")
    assert time.monotonic() - began < 4, "once, and not again"
    answered.set()
