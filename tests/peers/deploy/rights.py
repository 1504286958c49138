#!/usr/bin/env python3
"""The rights in deploy/ are enough, and none is too much: the function of deploy/sam rotates a secret for Secrets
Manager, and does the due work of a seskey.toml, with its role alone; without any one statement of the role it does not.
"""

import concurrent.futures
import json
import os
import subprocess
import urllib.request

from function import ACCOUNT, REGION, SESKEY, Function, Gate, boto3, document, moto_server
from rendered import policies, resources

IAM = os.environ["AWS_ENDPOINT_URL"]
GROUP = "AWSSESSendingGroupDoNotRename"
SENDING = {"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}
STEPS = "createSecret", "setSecret", "testSecret", "finishSecret"
BUCKET = "configuration"
TOKEN = "11111111-1111-4111-8111-111111111111"
# Lambda itself writes the log
NOT_TRIED = {"log"}


def main():
    with moto_server() as moto:
        gate = Gate(moto)
        own = {name: gate.client(name) for name in ("secretsmanager", "ssm", "s3")}
        own["s3"].create_bucket(Bucket=BUCKET)
        iam = boto3.client("iam")
        iam.create_group(GroupName=GROUP)
        iam.put_group_policy(GroupName=GROUP, PolicyName="AmazonSesSendingAccess", PolicyDocument=document([SENDING]))
        cases = [Case(scene, lacks, gate, own) for scene in (Rotation, Fleet, ByObject, Member, Stranger) for lacks in scene.lacks()]
        for days in (0, 8, 8, 8):
            later(days)
            # most of the time is spent until a key takes effect
            with concurrent.futures.ThreadPoolExecutor(len(cases)) as threads:
                list(threads.map(Case.go_on, cases))
        print(*cases, sep="\n")
        wrong = [case for case in cases if not case.is_right()]
        assert not wrong, "\n".join(f"{case}\n{case.function.log()}" for case in wrong)


class Case:
    """A scene with a role that lacks one statement, or none."""

    def __init__(self, scene, lacks, gate, own):
        self.lacks, self.differs, self.turns = lacks, None, 0
        name = "-".join([scene.__name__.lower(), *map(str, lacks or ["whole"])])
        kept = {policy: [of for number, of in enumerate(statements) if (policy, number) != lacks]
                for policy, statements in scene.policies(name).items()}
        self.scene = scene(name, {policy: of for policy, of in kept.items() if of}, gate, own)
        self.function = self.scene.function

    def go_on(self):
        for event, is_done in self.scene.events(self.turns):
            if self.differs is None and (self.function.invoke(event) is not None) != is_done:
                self.differs = f"{json.dumps(event)}: {self.function.said or 'done'}"
        self.turns += 1

    def is_right(self):
        if self.lacks is None:
            return self.differs is None and self.scene.is_done()
        return self.differs is not None

    def __str__(self):
        return f"{self.function.name}: {self.differs or 'all as it should be'}"


class Scene:
    """What is done in turns, with what may be lacking."""

    @classmethod
    def lacks(cls):
        """Nothing, and each statement with an action that no other one allows on the same."""
        yield None
        statements = [((policy, number), of) for policy, all in cls.policies("any").items() for number, of in enumerate(all)]
        for place, statement in statements:
            others = [of for other, of in statements if other != place and of["Resource"] == statement["Resource"]]
            allowed = {action for of in others for action in actions(of)}
            if place[0] not in NOT_TRIED and not actions(statement) <= allowed:
                yield place


class Rotation(Scene):
    """Secrets Manager rotates a secret, and a week later and two the old key goes. For a user who may not send none is made."""

    @staticmethod
    def policies(name):
        return policies("sam/template.yaml", Secret=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-*")

    def __init__(self, name, kept, gate, own):
        self.user, self.secrets = name, own["secretsmanager"]
        self.function = Function(name, kept, gate, {})
        self.before, self.arn = self.rotated(name)
        _, self.barred = self.rotated(f"{name}-barred")
        deny = document([SENDING | {"Effect": "Deny"}])
        boto3.client("iam").put_user_policy(UserName=f"{name}-barred", PolicyName="none", PolicyDocument=deny)

    def rotated(self, user):
        """The text and the ARN of a secret, whose rotation begins."""
        access_key = sender(user)
        text = {"smtp_user_name": access_key["AccessKeyId"], "smtp_password": password(access_key)}
        made = self.secrets.create_secret(Name=user, SecretString=json.dumps(text))
        name = {"SecretId": user}
        # moto waits for no function and ends the rotation: the labels are put back to their places at its beginning
        self.secrets.rotate_secret(**name, ClientRequestToken=TOKEN, RotationRules={"AutomaticallyAfterDays": 60})
        moved = {"RemoveFromVersionId": TOKEN, "MoveToVersionId": made["VersionId"]}
        self.secrets.update_secret_version_stage(**name, VersionStage="AWSCURRENT", **moved)
        self.secrets.update_secret_version_stage(**name, VersionStage="AWSPENDING", MoveToVersionId=TOKEN)
        return text, made["ARN"]

    def events(self, turn):
        if turn > 0:
            return [({"apply": {"secrets": [self.arn]}}, True)]
        steps = [({"Step": step, "SecretId": self.arn, "ClientRequestToken": TOKEN}, True) for step in STEPS]
        return steps + [({"Step": STEPS[0], "SecretId": self.barred, "ClientRequestToken": TOKEN}, False)]

    def is_done(self):
        current = json.loads(self.secrets.get_secret_value(SecretId=self.arn)["SecretString"])
        return current != self.before and keys(self.user) == [current["smtp_user_name"]]


class Fleet(Scene):
    """A seskey.toml declares users that are not there yet, and is gone through from time to time."""

    # the place of its seskey.toml, and its lines about accounts
    place, account = "ssm:/config/{}", ""

    @classmethod
    def policies(cls, name):
        return policies("sam/template.yaml", Config=cls.place.format(name), Create="yes")

    def __init__(self, name, kept, gate, own):
        self.name, self.own = name, own
        self.put(FLEET.format(name=name) + self.account)
        self.function = Function(name, kept, gate, {"SESKEY_CONFIG": self.place.format(name)})

    def put(self, text):
        self.own["ssm"].put_parameter(Name=f"/config/{self.name}", Value=text, Type="String")

    def events(self, turn):
        return [({"apply": {}}, True)]

    def is_done(self):
        secret = self.own["secretsmanager"].get_secret_value(SecretId=f"mail/{self.name}")["SecretString"]
        parameter = self.own["ssm"].get_parameter(Name=f"/mail/{self.name}", WithDecryption=True)["Parameter"]["Value"]
        held = [json.loads(text)["smtp_user_name"] for text in (secret, parameter)]
        return all(key in keys(f"{self.name}-{style}") for key, style in zip(held, ("group", "inline")))


class ByObject(Fleet):
    """The same, by a seskey.toml in a bucket."""

    place = f"s3://{BUCKET}/{{}}"

    @classmethod
    def lacks(cls):
        return (place for place in super().lacks() if place is None or place[0] == "config")

    def put(self, text):
        self.own["s3"].put_object(Bucket=BUCKET, Key=self.name, Body=text.encode())


class Member(Fleet):
    """The same, by the role of deploy/stackset, which is assumed. It stands for one of another account."""

    @classmethod
    def policies(cls, name):
        return policies("stackset/member-role.yaml", Create="yes", Caller=f"arn:aws:iam::{ACCOUNT}:role/{name}")

    def __init__(self, name, kept, gate, own):
        caller = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        role = resources("stackset/member-role.yaml", Caller=caller, ExternalId="mail-operations")["Role"]["Properties"]
        arn = gate.role(f"{name}-member", json.dumps(role["AssumeRolePolicyDocument"]), kept)
        self.account = f'[account.member]\nrole-arn = "{arn}"\nexternal-id = "{self.external_id}"\n'
        of_function = policies("sam/template.yaml", Config=self.place.format(name), Organization="yes")
        super().__init__(name, {policy: of_function[policy] for policy in ("config", "organization")}, gate, own)

    external_id = "mail-operations"


class Stranger(Member):
    """Who does not name the external ID."""

    external_id = "another"

    @classmethod
    def lacks(cls):
        yield None

    def events(self, turn):
        return [({"apply": {}}, False)]

    def is_done(self):
        return "AssumeRole" in self.function.log()


FLEET = f"""
region = "{REGION}"
max-age = "5d"
grace = "1d"
quarantine = "1d"

[[credential]]
user = "{{name}}-group"
to = ["secretsmanager:mail/{{name}}"]
create = true

[[credential]]
user = "{{name}}-inline"
to = ["ssm:/mail/{{name}}"]
create = true
from = ["*@example.com"]

"""


def actions(statement):
    of = statement["Action"]
    return {of} if isinstance(of, str) else set(of)


def sender(name):
    """A user as the SES console makes it, and its access key."""
    iam = boto3.client("iam")
    iam.create_user(UserName=name, Tags=[{"Key": "seskey:region", "Value": REGION}])
    iam.add_user_to_group(GroupName=GROUP, UserName=name)
    return iam.create_access_key(UserName=name)["AccessKey"]


def keys(user):
    return [key["AccessKeyId"] for key in boto3.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]]


def password(access_key):
    derive = [SESKEY, "derive", REGION, "--quiet"]
    run = subprocess.run(derive, input=access_key["SecretAccessKey"], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def later(days):
    if days:
        body = json.dumps({"advance": f"{days}d"}).encode()
        urllib.request.urlopen(f"{IAM}/_seskey/clock", body).read()


main()
