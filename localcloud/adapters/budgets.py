"""AWS Budgets: what a stack may cost. The emulator keeps budgets and counts no costs: none ever tells anybody."""

from __future__ import annotations

from localcloud.adapter import Created, Request, adapter, pascal, tag_list
from localcloud.cloud import ACCOUNT


@adapter(
    "aws:budgets/budget:Budget",
    takes=("budgetType", "limitAmount", "limitUnit", "timeUnit", "costFilters", "notifications", "tags"),
)
def budget(request: Request) -> Created:
    name = request.auto_name
    request.cloud.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": name,
            "BudgetType": request["budgetType"],
            "BudgetLimit": {"Amount": request["limitAmount"], "Unit": request["limitUnit"]},
            "TimeUnit": request["timeUnit"],
            "CostFilters": {each["name"]: each["values"] for each in request["costFilters"]},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": pascal({key: value for key, value in each.items() if key != "subscriberSnsTopicArns"}),
                "Subscribers": [{"SubscriptionType": "SNS", "Address": arn} for arn in each["subscriberSnsTopicArns"]],
            }
            for each in request["notifications"]
        ],
        ResourceTags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": f"arn:aws:budgets::{ACCOUNT}:budget/{name}"}


@budget.deletes
def delete_budget(request: Request) -> None:
    request.cloud.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=request.id)
