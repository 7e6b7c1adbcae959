"""SQS and SNS: the review queue, the dead letters, the alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.screen import counted
from localcloud.adapter import Created, Request, adapter, pairs, retag, tag_list, whole
from localcloud.cloud import ACCOUNT


@adapter(
    "aws:sqs/queue:Queue",
    takes=("messageRetentionSeconds", "tags"),
    ignores=dict.fromkeys(("sqsManagedSseEnabled", "kmsMasterKeyId"), "emulated queues are not encrypted"),
)
def queue(request: Request) -> Created:
    name = request.auto_name
    client = request.cloud.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=_attributes(request), tags=request.get("tags", {}))["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"id": url, "url": url, "arn": arn, "name": name}


def _attributes(request: Request) -> Any:
    return {"MessageRetentionPeriod": str(whole(request["messageRetentionSeconds"]))}


@queue.foretells
def queue_url(request: Request) -> str:
    return f"{request.cloud.aws_url}/{ACCOUNT}/{request.auto_name}"


@queue.updates
def update_queue(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("sqs")
    client.set_queue_attributes(QueueUrl=request.id, Attributes=_attributes(request))
    retag(
        request,
        lambda new: client.tag_queue(QueueUrl=request.id, Tags=new),
        lambda gone: client.untag_queue(QueueUrl=request.id, TagKeys=gone),
    )
    return {}


@queue.deletes
def delete_queue(request: Request) -> None:
    request.cloud.client("sqs").delete_queue(QueueUrl=request.id)


@queue.counts
def messages_in(request: Request) -> str:
    name = "ApproximateNumberOfMessages"
    answer = request.cloud.client("sqs").get_queue_attributes(QueueUrl=request.id, AttributeNames=[name])
    count = int(answer["Attributes"][name])
    return counted(count, "message") if count else ""


@adapter("aws:sqs/queuePolicy:QueuePolicy", takes=("queueUrl", "policy"), replaces=("queueUrl",), put=True)
def queue_policy(request: Request) -> Created:
    request.cloud.client("sqs").set_queue_attributes(
        QueueUrl=request["queueUrl"], Attributes={"Policy": request["policy"]}
    )
    return request["queueUrl"], {}


@queue_policy.deletes
def delete_queue_policy(request: Request) -> None:
    request.cloud.client("sqs").set_queue_attributes(QueueUrl=request.id, Attributes={"Policy": ""})


@adapter(
    "aws:sns/topic:Topic",
    takes=("tags",),
    ignores={"kmsMasterKeyId": "emulated topics are not encrypted"},
)
def topic(request: Request) -> Created:
    name = request.auto_name
    arn = request.cloud.client("sns").create_topic(Name=name, Tags=tag_list(request))["TopicArn"]
    return arn, {"id": arn, "arn": arn, "name": name}


@topic.foretells
def topic_arn(request: Request) -> str:
    return f"arn:aws:sns:{request.cloud.region}:{ACCOUNT}:{request.auto_name}"


@topic.updates
def update_topic(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("sns")
    retag(
        request,
        lambda new: client.tag_resource(ResourceArn=request.id, Tags=pairs(new)),
        lambda gone: client.untag_resource(ResourceArn=request.id, TagKeys=gone),
    )
    return {}


@topic.deletes
def delete_topic(request: Request) -> None:
    request.cloud.client("sns").delete_topic(TopicArn=request.id)


@adapter("aws:sns/topicPolicy:TopicPolicy", takes=("arn", "policy"), replaces=("arn",), put=True)
def topic_policy(request: Request) -> Created:
    request.cloud.client("sns").set_topic_attributes(
        TopicArn=request["arn"], AttributeName="Policy", AttributeValue=request["policy"]
    )
    return request["arn"], {}


@adapter("aws:sns/topicSubscription:TopicSubscription", takes=("topic", "protocol", "endpoint"))
def topic_subscription(request: Request) -> Created:
    answer = request.cloud.client("sns").subscribe(
        TopicArn=request["topic"],
        Protocol=request["protocol"],
        Endpoint=request["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return answer["SubscriptionArn"], {"arn": answer["SubscriptionArn"]}


@topic_subscription.deletes
def delete_topic_subscription(request: Request) -> None:
    request.cloud.client("sns").unsubscribe(SubscriptionArn=request.id)
