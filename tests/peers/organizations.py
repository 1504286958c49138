#!/usr/bin/env python3
"""An organization in moto: seskey lists the active accounts of all of it or of units, and their users by a role in
each."""

import json
import os
import subprocess

from moto_server import boto3, moto_server

SESKEY, ROLE = os.environ["SESKEY"], "OrganizationAccountAccessRole"
SENDING = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}],
})
# more than a page
ACCOUNTS = 25


def main():
    with moto_server() as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        live()


def live():
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    outer, inner = (unit(organizations, *of) for of in ((root, "outer"), (root, "inner")))
    nested = unit(organizations, outer, "nested")
    accounts = [account(organizations, number) for number in range(ACCOUNTS)]
    for number, parent in enumerate((outer, nested, inner)):
        organizations.move_account(AccountId=accounts[number], SourceParentId=root, DestinationParentId=parent)
    closed = accounts[3]
    organizations.close_account(AccountId=closed)
    for each in accounts:
        add_user(each)

    own = boto3.client("sts").get_caller_identity()["Account"]
    add_user(own)
    active = {own, *accounts} - {closed}
    assert listed("--organization", ROLE) == active

    file = lambda *lines: written("[organization]", f'role-name = "{ROLE}"', *lines)
    assert listed("--file", file(f'ou = ["{outer}"]')) == {accounts[0], accounts[1]}
    assert listed("--file", file(f'ou = ["{outer}"]', f'exclude = ["{nested}"]')) == {accounts[0]}
    left = active - {accounts[0], accounts[1], accounts[5]}
    assert listed("--file", file(f'exclude = ["{outer}", "{accounts[5]}"]')) == left


def unit(organizations, parent, name):
    made = organizations.create_organizational_unit(ParentId=parent, Name=name)
    return made["OrganizationalUnit"]["Id"]


def account(organizations, number):
    made = organizations.create_account(AccountName=f"a{number}", Email=f"a{number}@example.com")
    return made["CreateAccountStatus"]["AccountId"]


def add_user(account):
    """A user who may send, and is called as its account is."""
    arn = f"arn:aws:iam::{account}:role/{ROLE}"
    session = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="peer")["Credentials"]
    iam = boto3.client(
        "iam",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    iam.create_user(UserName=f"of-{account}")
    iam.put_user_policy(UserName=f"of-{account}", PolicyName="send", PolicyDocument=SENDING)


def listed(*options):
    """The accounts, each of which has its own user and no other."""
    run = subprocess.run([SESKEY, "list", "--json", *options], capture_output=True, text=True)
    assert run.returncode == 0, f"{options}: {run.returncode}: {run.stderr}"
    users = json.loads(run.stdout)
    assert all(user["user_name"] == f"of-{user['account']}" for user in users), users
    return {user["account"] for user in users}


def written(*lines):
    with open("seskey.toml", "w") as file:
        file.write("\n".join(lines))
    return "seskey.toml"


main()
