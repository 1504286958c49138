#!/usr/bin/env python3
"""boto3 manages users, groups, policies, tags and access keys, and understands every refusal."""

import datetime
import json
import os
import sys
import unittest.mock
import urllib.error
import urllib.request

try:
    import boto3
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    import botocore.exceptions
except ImportError:
    print("boto3 is not installed")
    sys.exit(127)

ACCOUNT, REGION, ENDPOINT = (os.environ[name] for name in ("ACCOUNT", "AWS_REGION", "AWS_ENDPOINT_URL"))
ANN, SENDERS, INLINE = {"UserName": "Ann"}, {"GroupName": "senders"}, {"PolicyName": "AmazonSesSendingAccess"}
MAY_SEND = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}],
}
DOCUMENT = {"PolicyDocument": json.dumps(MAY_SEND)}

WRONG_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
UNKNOWN_KEY = "The security token included in the request is invalid."

iam = boto3.client("iam")


def main():
    users_and_tags()
    user_policies()
    groups()
    managed_policies()
    access_keys()
    permissions()
    signatures()
    pages()
    deletion()


def users_and_tags():
    created = iam.create_user(**ANN, Path="/mail/", Tags=[{"Key": "team", "Value": "a+b c=d/é"}])["User"]
    assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/mail/Ann", created
    assert created["UserId"].startswith("AIDA"), created
    got = iam.get_user(**ANN)["User"]
    assert got == created, got
    refused("EntityAlreadyExists", "User with name ann already exists.", iam.create_user, UserName="ann")
    refused("NoSuchEntity", "The user with name nobody cannot be found.", iam.get_user, UserName="nobody")

    iam.tag_user(**ANN, Tags=[{"Key": "InvokedBy", "Value": "SESConsole"}])
    assert tags("Ann") == {"team": "a+b c=d/é", "InvokedBy": "SESConsole"}
    iam.untag_user(**ANN, TagKeys=["team"])
    assert tags("Ann") == {"InvokedBy": "SESConsole"}

    iam.update_user(**ANN, NewUserName="Anna", NewPath="/")
    iam.get_waiter("user_exists").wait(UserName="Anna")
    iam.update_user(UserName="Anna", NewUserName="Ann")


def user_policies():
    iam.put_user_policy(**ANN, **INLINE, **DOCUMENT)
    got = iam.get_user_policy(**ANN, **INLINE)
    assert got["PolicyDocument"] == MAY_SEND, got
    assert iam.list_user_policies(**ANN)["PolicyNames"] == ["AmazonSesSendingAccess"]
    for document in ("{", "[]", '{"Version":"2012-10-17"}', json.dumps(MAY_SEND).replace("Allow", "Let")):
        refused("MalformedPolicyDocument", "Syntax errors in policy.",
                iam.put_user_policy, **ANN, **INLINE, PolicyDocument=document)
    refused("NoSuchEntity", "The user policy with name none cannot be found.",
            iam.get_user_policy, **ANN, PolicyName="none")
    obstacle("must delete policies first", iam.delete_user, **ANN)
    iam.delete_user_policy(**ANN, **INLINE)


def groups():
    created = iam.create_group(**SENDERS)["Group"]
    assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/senders", created
    refused("EntityAlreadyExists", "Group with name senders already exists.", iam.create_group, **SENDERS)
    refused("NoSuchEntity", "The group with name none cannot be found.", iam.get_group, GroupName="none")

    iam.add_user_to_group(**SENDERS, **ANN)
    assert [user["UserName"] for user in iam.get_group(**SENDERS)["Users"]] == ["Ann"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(**ANN)["Groups"]] == ["senders"]
    obstacle("must remove users from group first", iam.delete_user, **ANN)
    obstacle("must remove users from group first", iam.delete_group, **SENDERS)
    iam.remove_user_from_group(**SENDERS, **ANN)

    iam.put_group_policy(**SENDERS, **INLINE, **DOCUMENT)
    got = iam.get_group_policy(**SENDERS, **INLINE)
    assert got["PolicyDocument"] == MAY_SEND, got
    obstacle("must delete policies first", iam.delete_group, **SENDERS)
    iam.delete_group_policy(**SENDERS, **INLINE)


def managed_policies():
    policy = iam.create_policy(PolicyName="MaySend", **DOCUMENT)["Policy"]
    assert policy["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/MaySend", policy
    arn = {"PolicyArn": policy["Arn"]}
    version = iam.get_policy_version(**arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"] == MAY_SEND, version
    refused("NoSuchEntity", None, iam.attach_user_policy, **ANN, PolicyArn=policy["Arn"] + "2")

    attached = [{"PolicyName": "MaySend", "PolicyArn": policy["Arn"]}]
    iam.attach_user_policy(**ANN, **arn)
    assert iam.list_attached_user_policies(**ANN)["AttachedPolicies"] == attached
    obstacle("must detach all policies first", iam.delete_user, **ANN)
    refused("DeleteConflict", "Cannot delete a policy attached to entities.", iam.delete_policy, **arn)
    iam.detach_user_policy(**ANN, **arn)

    iam.attach_group_policy(**SENDERS, **arn)
    assert iam.list_attached_group_policies(**SENDERS)["AttachedPolicies"] == attached
    obstacle("must detach all policies first", iam.delete_group, **SENDERS)
    iam.detach_group_policy(**SENDERS, **arn)
    iam.delete_policy(**arn)


def access_keys():
    first, second = new_key("Ann"), new_key("Ann")
    assert first["AccessKeyId"].startswith("AKIA") and len(first["AccessKeyId"]) == 20, first["AccessKeyId"]
    assert len(first["SecretAccessKey"]) == 40 and first["Status"] == "Active"
    refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", iam.create_access_key, **ANN)

    assert last_used(first) == {"ServiceName": "N/A", "Region": "N/A"}
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    caller = client("sts", first).get_caller_identity()
    assert (caller["Account"], caller["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/Ann"), caller
    assert caller["UserId"] == iam.get_user(**ANN)["User"]["UserId"], caller
    used = last_used(first)
    assert (used["ServiceName"], used["Region"]) == ("sts", REGION) and used["LastUsedDate"] >= before, used

    set_status(first, "Inactive")
    assert statuses("Ann") == {first["AccessKeyId"]: "Inactive", second["AccessKeyId"]: "Active"}
    refused("InvalidClientTokenId", UNKNOWN_KEY, client("sts", first).get_caller_identity)
    set_status(first, "Active")
    client("sts", first).get_caller_identity()

    iam.delete_access_key(**ANN, AccessKeyId=second["AccessKeyId"])
    assert statuses("Ann") == {first["AccessKeyId"]: "Active"}
    refused("NoSuchEntity", f"The Access Key with id {second['AccessKeyId']} cannot be found.",
            iam.delete_access_key, **ANN, AccessKeyId=second["AccessKeyId"])
    obstacle("must delete access keys first", iam.delete_user, **ANN)


def permissions():
    iam.create_user(UserName="eve")
    eve = client("iam", new_key("eve"))
    denied = "User: arn:aws:iam::{}:user/eve is not authorized to perform: iam:{} on resource: arn:aws:iam::{}:{} {}"

    def text(action, resource, reason="because no identity-based policy allows the iam:{} action"):
        return denied.format(ACCOUNT, action, ACCOUNT, resource, reason.format(action))

    refused("AccessDenied", text("ListUsers", "user/"), eve.list_users)
    refused("AccessDenied", text("CreateUser", "user/mail/x"), eve.create_user, UserName="x", Path="/mail/")
    refused("AccessDenied", text("GetUser", "user/Ann"), eve.get_user, **ANN)

    statement = '{{"Version": "2012-10-17", "Statement": {{"Effect": "{}", "Action": "iam:{}", "Resource": "*"}}}}'
    iam.put_user_policy(UserName="eve", PolicyName="deny", PolicyDocument=statement.format("Deny", "List*"))
    refused("AccessDenied", text("ListUsers", "user/", "with an explicit deny"), eve.list_users)
    iam.put_user_policy(UserName="eve", PolicyName="allow", PolicyDocument=statement.format("Allow", "GetUser"))
    assert eve.get_user()["User"]["UserName"] == "eve"


def signatures():
    key = new_key("eve")
    refused("SignatureDoesNotMatch", WRONG_SIGNATURE,
            client("sts", key | {"SecretAccessKey": "x" * 40}).get_caller_identity)
    refused("InvalidClientTokenId", UNKNOWN_KEY,
            client("sts", key | {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}).get_caller_identity)
    for minutes, expected in ((-20, "Signature expired: "), (20, "Signature not yet current: ")):
        with clock_off_by(datetime.timedelta(minutes=minutes)):
            message = refused("SignatureDoesNotMatch", None, client("sts", key).get_caller_identity)
        assert message.startswith(expected), message
    for minutes in (-14, 14):
        with clock_off_by(datetime.timedelta(minutes=minutes)):
            client("sts", key).get_caller_identity()

    honest, tampered = b"Action=GetCallerIdentity&Version=2011-06-15", b"Action=GetSessionToken&Version=2011-06-15"
    headers = signed_headers(key, honest)
    assert post(headers, honest)[0] == 200
    for headers, body, code in (
        (headers, tampered, "SignatureDoesNotMatch"),
        (headers | {"X-Amz-Date": "20240101T000000Z"}, honest, "SignatureDoesNotMatch"),
        ({"Content-Type": headers["Content-Type"]}, honest, "MissingAuthenticationToken"),
    ):
        status, answer = post(headers, body)
        assert status == 403 and f"<Code>{code}</Code>" in answer, answer


def pages():
    names = {f"user-{number}" for number in range(250)}
    for name in names:
        iam.create_user(UserName=name, Path="/many/")
    answers = list(iam.get_paginator("list_users").paginate(PathPrefix="/many/"))
    assert [len(answer["Users"]) for answer in answers] == [100, 100, 50]
    assert {user["UserName"] for answer in answers for user in answer["Users"]} == names
    small = iam.get_paginator("list_users").paginate(PathPrefix="/many/", PaginationConfig={"PageSize": 7})
    assert {user["UserName"] for answer in small for user in answer["Users"]} == names
    for name in names:
        iam.delete_user(UserName=name)


def deletion():
    for user_name in ("Ann", "eve"):
        for access_key_id in statuses(user_name):
            iam.delete_access_key(UserName=user_name, AccessKeyId=access_key_id)
    for policy_name in iam.list_user_policies(UserName="eve")["PolicyNames"]:
        iam.delete_user_policy(UserName="eve", PolicyName=policy_name)
    iam.delete_user(**ANN)
    iam.delete_user(UserName="eve")
    iam.delete_group(**SENDERS)
    refused("NoSuchEntity", "The user with name Ann cannot be found.", iam.delete_user, **ANN)
    assert iam.list_users()["Users"] == iam.list_groups()["Groups"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []


def refused(code, message, call, **parameters):
    """Demands that a call is refused with that code, and with that message if one is given."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code and message in (None, found["Message"]), f"{call.__name__} {parameters}: {found}"
        return found["Message"]
    raise AssertionError(f"{call.__name__} {parameters} is not refused with {code}")


def obstacle(what_to_do, call, **parameters):
    refused("DeleteConflict", f"Cannot delete entity, {what_to_do}.", call, **parameters)


def client(service, key):
    return boto3.client(service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


def tags(user_name):
    return {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName=user_name)["Tags"]}


def new_key(user_name):
    return iam.create_access_key(UserName=user_name)["AccessKey"]


def set_status(key, status):
    iam.update_access_key(UserName=key["UserName"], AccessKeyId=key["AccessKeyId"], Status=status)


def statuses(user_name):
    keys = iam.list_access_keys(UserName=user_name)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in keys}


def last_used(key):
    return iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]


def clock_off_by(offset):
    now = datetime.datetime.now(datetime.timezone.utc) + offset
    return unittest.mock.patch.object(botocore.auth, "get_current_datetime", return_value=now.replace(tzinfo=None))


def signed_headers(key, body):
    """The headers of a request to STS, signed by botocore for that body."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = botocore.awsrequest.AWSRequest("POST", ENDPOINT + "/", data=body, headers=form)
    credentials = botocore.credentials.Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    botocore.auth.SigV4Auth(credentials, "sts", REGION).add_auth(request)
    return dict(request.headers.items())


def post(headers, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(ENDPOINT + "/", data=body, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


if __name__ == "__main__":
    main()
