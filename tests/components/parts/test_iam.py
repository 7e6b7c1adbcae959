import json

import pytest

from components.parts import iam

ARN = "arn:aws:s3:::bucket"


def test_a_wildcard_action_or_resource_is_refused():
    for actions, resources in ((["s3:*"], [ARN]), (["*"], [ARN]), (["s3:GetObject"], ["*"])):
        with pytest.raises(ValueError, match="named"):
            iam.allow("X", actions, resources)


def test_a_service_is_trusted_for_this_account_alone():
    policy = json.loads(iam.trust("states.amazonaws.com", "123456789012", "arn:x"))
    (statement,) = policy["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:x"}


def test_images_are_pulled_from_the_one_repository():
    pull, login = iam.pull_image("811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1")
    assert pull["Resource"] == ["arn:aws:ecr:us-east-1:811284229777:repository/image-classification"]
    assert login["Action"] == ["ecr:GetAuthorizationToken"]


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_arns_are_of_the_regions_partition(region, partition):
    assert iam.partition(region) == partition
    assert iam.sagemaker_logs(region, "1", "photos", trains=True)["Resource"][0].startswith(
        f"arn:{partition}:logs:{region}:1:"
    )
