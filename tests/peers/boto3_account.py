#!/usr/bin/env python3
"""boto3 works with versions of policies, roles, sessions, reports, and the SES API in both versions."""

import csv
import io
import json
import os
import sys
import time

try:
    import boto3
    import botocore.exceptions
except ImportError:
    print("boto3 is not installed")
    sys.exit(127)

ACCOUNT, REGION, SESKEY = (os.environ[name] for name in ("ACCOUNT", "AWS_REGION", "SESKEY"))
ARN = f"arn:aws:iam::{ACCOUNT}:"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

iam, sts, ses, sesv2 = (boto3.client(service) for service in ("iam", "sts", "ses", "sesv2"))


def main():
    policy_versions()
    boundaries()
    roles_and_sessions()
    passwords()
    credential_report()
    account_details()
    sending()
    sending_v2()
    secret_or_password()


def policy_versions():
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(EVERYTHING))["Policy"]["Arn"]
    for number in range(2, 6):
        made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(EVERYTHING), SetAsDefault=number == 5)
        assert made["PolicyVersion"]["VersionId"] == f"v{number}", made
    refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=document(EVERYTHING))
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    versions = [version["VersionId"] for version in pages(iam, "list_policy_versions", "Versions", PolicyArn=arn)]
    assert sorted(versions) == ["v1", "v2", "v3", "v4", "v5"], versions
    for version in versions:
        if version != "v1":
            iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "team", "Value": "mail"}])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "team", "Value": "mail"}]
    iam.delete_policy(PolicyArn=arn)


def boundaries():
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=document(EVERYTHING))["Policy"]["Arn"]
    iam.create_user(UserName="bounded", PermissionsBoundary=arn)
    assert iam.get_user(UserName="bounded")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.delete_user_permissions_boundary(UserName="bounded")
    iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=arn)
    entities = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [user["UserName"] for user in entities["PolicyUsers"]] == ["bounded"], entities
    iam.delete_user(UserName="bounded")
    iam.delete_policy(PolicyArn=arn)


def roles_and_sessions():
    trust = {"Effect": "Allow", "Principal": {"AWS": f"{ARN}root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="sender", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="sender", PolicyName="p", PolicyDocument=document(EVERYTHING))
    iam.attach_role_policy(RoleName="sender", PolicyArn="arn:aws:iam::aws:policy/AmazonSESFullAccess")
    key = new_user("taker", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    taken = client("sts", key).assume_role(RoleArn=f"{ARN}role/sender", RoleSessionName="now")
    session = client("sts", taken["Credentials"])
    assert session.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/sender/now"
    assert taken["Credentials"]["AccessKeyId"].startswith("ASIA")
    client("iam", taken["Credentials"]).list_users()
    without_token = {**taken["Credentials"], "SessionToken": None}
    refused("InvalidClientTokenId", client("sts", without_token).get_caller_identity)
    token = client("sts", key).get_session_token()["Credentials"]
    refused("InvalidClientTokenId", client("iam", token).list_users)
    refused("DeleteConflict", iam.delete_role, RoleName="sender")
    iam.delete_role_policy(RoleName="sender", PolicyName="p")
    iam.detach_role_policy(RoleName="sender", PolicyArn="arn:aws:iam::aws:policy/AmazonSESFullAccess")
    assert iam.list_instance_profiles_for_role(RoleName="sender")["InstanceProfiles"] == []
    iam.delete_role(RoleName="sender")


def passwords():
    iam.create_login_profile(UserName="taker", Password="Correct-horse-1")
    refused("EntityAlreadyExists", iam.create_login_profile, UserName="taker", Password="Correct-horse-1")
    iam.delete_login_profile(UserName="taker")
    refused("NoSuchEntity", iam.get_login_profile, UserName="taker")
    made = iam.create_service_specific_credential(UserName="taker", ServiceName="codecommit.amazonaws.com")
    credential = made["ServiceSpecificCredential"]
    listed = iam.list_service_specific_credentials(UserName="taker")["ServiceSpecificCredentials"]
    assert [one["ServiceSpecificCredentialId"] for one in listed] == [credential["ServiceSpecificCredentialId"]]
    iam.delete_service_specific_credential(
        UserName="taker", ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"]
    )


def credential_report():
    while iam.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0.2)
    rows = list(csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode())))
    assert [row["user"] for row in rows] == ["<root_account>", "taker"], rows
    assert rows[1]["access_key_1_active"] == "true" and rows[1]["access_key_2_active"] == "false", rows


def account_details():
    iam.create_group(GroupName="all")
    details = pages(iam, "get_account_authorization_details", "UserDetailList", Filter=["User", "Group"])
    assert [user["UserName"] for user in details] == ["taker"], details


def sending():
    assert ses.get_send_quota()["Max24HourSend"] == -1
    ses.verify_domain_identity(Domain="example.com")
    assert ses.list_identities()["Identities"] == ["example.com"]
    sent = ses.send_email(
        Source="ann@example.com",
        Destination={"ToAddresses": ["bob@example.org"]},
        Message={"Subject": {"Data": "Grüße"}, "Body": {"Text": {"Data": "hi"}, "Html": {"Data": "<b>hi</b>"}}},
    )
    assert sent["MessageId"].endswith("-000000"), sent
    raw = b"From: ann@example.com\r\nTo: bob@example.org\r\nSubject: raw\r\n\r\nhi\r\n"
    ses.send_raw_email(RawMessage={"Data": raw})
    refused("MessageRejected", ses.send_raw_email, RawMessage={"Data": raw.replace(b"ann@example.com", b"a@b.example")})
    refused("InvalidAction", ses.list_receipt_filters)


def sending_v2():
    refused("AlreadyExistsException", sesv2.create_email_identity, EmailIdentity="example.com")
    simple = {"Subject": {"Data": "hi"}, "Body": {"Text": {"Data": "hi"}}}
    letter = {"FromEmailAddress": "ann@example.com", "Destination": {"ToAddresses": ["bob@example.org"]}}
    sesv2.send_email(**letter, Content={"Simple": simple})
    large = b"From: ann@example.com\r\nTo: bob@example.org\r\n\r\n" + b"x" * 76 + b"\r\n" * 6_000_000
    sesv2.send_email(Content={"Raw": {"Data": large}})
    sesv2.put_account_sending_attributes(SendingEnabled=False)
    refused("SendingPausedException", sesv2.send_email, **letter, Content={"Simple": simple})
    sesv2.put_account_sending_attributes(SendingEnabled=True)
    assert sesv2.get_account()["SendingEnabled"] is True
    refused("NotFoundException", sesv2.get_email_identity, EmailIdentity="absent.example")


def secret_or_password():
    """An API takes the secret access key and no SMTP password; SMTP is the other way round."""
    key = new_user("mailer", {"Effect": "Allow", "Action": "ses:*", "Resource": "*"})
    client("ses", key).get_send_quota()
    password = os.popen(f"AWS_SECRET_ACCESS_KEY={key['SecretAccessKey']} {SESKEY} derive {REGION}").read().strip()
    assert len(password) == 44, password
    refused("SignatureDoesNotMatch", client("ses", {**key, "SecretAccessKey": password}).get_send_quota)


def document(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def new_user(name, statement):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(statement))
    return iam.create_access_key(UserName=name)["AccessKey"]


def client(service, key):
    return boto3.client(
        service,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
    )


def pages(client, operation, result, **parameters):
    found = client.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": 2})
    return [item for page in found for item in page[result]]


def refused(code, call, **parameters):
    try:
        answer = call(**parameters)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"{code} expected, not {answer}")


if __name__ == "__main__":
    main()
