"""SQS and SNS: the review queue, the dead letters, the alerts."""

from __future__ import annotations

from typing import Any

from localcloud.engine import Created, Request, adapter, tag_list, whole


@adapter(
    "aws:sqs/queue:Queue",
    takes=("name", "messageRetentionSeconds", "visibilityTimeoutSeconds", "tags"),
    ignores=dict.fromkeys(
        ("sqsManagedSseEnabled", "kmsMasterKeyId", "kmsDataKeyReusePeriodSeconds"), "emulated queues are not encrypted"
    ),
)
def queue(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    client = request.cloud.client("sqs")
    names = {"messageRetentionSeconds": "MessageRetentionPeriod", "visibilityTimeoutSeconds": "VisibilityTimeout"}
    attributes: Any = {to: str(whole(request[key])) for key, to in names.items() if request.get(key) is not None}
    url = client.create_queue(QueueName=name, Attributes=attributes, tags=request.get("tags", {}))["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"id": url, "url": url, "arn": arn, "name": name}


@adapter("aws:sqs/queuePolicy:QueuePolicy", takes=("queueUrl", "policy"))
def queue_policy(request: Request) -> Created:
    request.cloud.client("sqs").set_queue_attributes(
        QueueUrl=request["queueUrl"], Attributes={"Policy": request["policy"]}
    )
    return request["queueUrl"], {}


@adapter(
    "aws:sns/topic:Topic",
    takes=("name", "tags"),
    ignores={"kmsMasterKeyId": "emulated topics are not encrypted", "displayName": "nobody gets e-mail from here"},
)
def topic(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    arn = request.cloud.client("sns").create_topic(Name=name, Tags=tag_list(request))["TopicArn"]
    return arn, {"id": arn, "arn": arn, "name": name}


@adapter("aws:sns/topicPolicy:TopicPolicy", takes=("arn", "policy"))
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
