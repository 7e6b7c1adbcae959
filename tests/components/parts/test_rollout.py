"""Roll-outs: refused before anything is made when they cannot work, believed when what serves is what is wanted."""

import pulumi
import pytest
from botocore.exceptions import ClientError

from components.parts.rollout import (
    LiveEndpoint,
    RolloutError,
    WantedHosting,
    confirm,
    describe_live,
    problems_with_rollout,
)

LIVE = {"name": "scones-prod", "status": "InService", "configuration": "old", "instance_type": "ml.m5.large"}
WANTED = WantedHosting("ml.m5.large", 2, 4)


def problems(wanted=WANTED, **live):
    return problems_with_rollout(LiveEndpoint(**(LIVE | {"instances": 2} | live)), wanted)


@pytest.mark.parametrize("live", [{}, {"scaled": True}, {"instances": 1}, {"instance_type": "ml.c5.large"}])
def test_an_endpoint_in_service_at_the_scale_that_a_roll_out_begins_with_can_be_updated(live):
    assert problems(**live) == []


def test_min_above_the_current_count_is_what_a_roll_out_begins_with():
    assert problems(WantedHosting("ml.m5.large", 3, 4), instances=2, scaled=True) == []


@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "SystemUpdating"])
def test_an_endpoint_that_is_being_changed_is_waited_for(status):
    (said,) = problems(status=status, instances=9, scaled=True, instance_type="ml.c5.large")
    assert f"is {status}: wait" in said and "aws sagemaker wait endpoint-in-service --endpoint-name scones-prod" in said


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_no_update_repairs_is_made_anew(status):
    (said,) = problems(status=status, reason="no capacity")
    assert f"is {status} (no capacity)" in said and "delete-endpoint --endpoint-name scones-prod" in said


def test_another_instance_type_under_autoscaling_is_refused_with_the_two_steps_that_work():
    (said,) = problems(scaled=True, instance_type="ml.c5.large")
    assert "scones:endpointInstanceType" in said and "from ml.c5.large to ml.m5.large" in said
    assert "first give scones:endpointMaxInstances the value of scones:endpointMinInstances" in said


def test_a_scaled_endpoint_does_not_become_serverless_in_one_step():
    (said,) = problems(None, scaled=True)
    assert "scones:endpointMode" in said and "to serverless" in said


def test_a_roll_out_that_would_begin_with_less_than_serves_is_refused():
    (said,) = problems(instances=4, scaled=True)
    assert "scaled out to 4 instances" in said and "scones:endpointMinInstances, 2: set that to 4" in said
    assert "endpointMaxInstances" not in said
    (said,) = problems(WantedHosting("ml.m5.large", 2, 3), instances=4, scaled=True)
    assert "(scones:endpointMaxInstances too, which is 3)" in said


def test_fewer_instances_than_the_endpoint_began_with_are_somebodys_will():
    assert problems(WantedHosting("ml.m5.large", 1, 4), instances=3, began_with=3) == []
    assert problems(WantedHosting("ml.m5.large", 1, 4), instances=3, began_with=2)


def test_all_that_is_in_the_way_is_told_at_once():
    assert len(problems(instances=4, scaled=True, instance_type="ml.c5.large")) == 2


class Aws:
    """SageMaker and Application Auto Scaling with one endpoint, or none."""

    def __init__(self, record=None, targets=(), error='Could not find endpoint "arn".'):
        self.record, self.targets, self.error = record, list(targets), error

    def describe_endpoint(self, EndpointName):
        if self.record is None:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": self.error}}, "DescribeEndpoint")
        return self.record

    def describe_endpoint_config(self, EndpointConfigName):
        return {
            "ProductionVariants": [
                {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
            ]
        }

    def describe_scalable_targets(self, **asked):
        assert asked["ResourceIds"] == ["endpoint/scones-prod/variant/AllTraffic"]
        return {"ScalableTargets": self.targets}


@pytest.fixture
def aws():
    def use(**known):
        client = Aws(**known)
        return lambda service: client

    return use


RECORD = {
    "EndpointStatus": "InService", "EndpointConfigName": "old",
    "ProductionVariants": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}],
}  # fmt: skip


def test_what_is_there_is_asked_of_sagemaker_and_of_autoscaling(aws):
    client = aws(record=RECORD, targets=[{}])
    assert describe_live("scones-prod", "AllTraffic", client) == LiveEndpoint(
        **LIVE, instances=3, began_with=2, scaled=True
    )


def test_an_endpoint_that_is_not_there_is_in_nobodys_way(aws):
    client = aws()
    assert describe_live("scones-prod", "AllTraffic", client) is None


def test_a_right_that_is_missing_is_no_absent_endpoint(aws):
    client = aws(error="not authorized")
    with pytest.raises(RolloutError, match=r"can't be looked at before it is updated: .*not authorized"):
        describe_live("scones-prod", "AllTraffic", client)


def test_what_serves_and_is_wanted_is_confirmed_without_asking_anybody():
    confirm("scones-prod", "new", "new", lambda service: pytest.fail(service))


def test_a_roll_back_says_what_serves_why_and_what_to_do(aws):
    client = aws(record=RECORD | {"FailureReason": "it did not pass the ping health check"})
    with pytest.raises(RolloutError) as caught:
        confirm("scones-prod", "new", "old", client)
    said = str(caught.value)
    assert said.startswith("the endpoint scones-prod serves the configuration old, not new: SageMaker took")
    assert "(it did not pass the ping health check)" in said and "every `pulumi up` fails until" in said


def test_a_roll_out_that_is_not_over_is_not_called_a_roll_back(aws):
    client = aws(record=RECORD | {"EndpointStatus": "Updating"})
    with pytest.raises(RolloutError, match="not new yet: it is Updating"):
        confirm("scones-prod", "new", "old", client)


def test_who_may_not_ask_for_the_reason_learns_what_serves_all_the_same(aws):
    client = aws(error="not authorized")
    with pytest.raises(RolloutError, match="serves the configuration old, not new"):
        confirm("scones-prod", "new", "old", client)


def test_a_preview_only_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    confirm("scones-prod", "new", "old", lambda service: pytest.fail(service))
    assert said == ["the endpoint scones-prod serves the configuration old, not new"]
