"""The function of deploy/sam, with its role and nothing else: IAM is the local one; Secrets Manager, the parameters and
S3 are moto's, behind a gate that decides by the same role.

Source: Service Authorization Reference.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from lambda_function import JSON, Handler, lambda_function, serve
from moto_server import boto3, moto_server
from rendered import ACCOUNT, REGION

SESKEY = os.environ["SESKEY"]
SERVICES = {"AmazonSSM": "ssm", "secretsmanager": "secretsmanager"}
FORM = "application/x-www-form-urlencoded"
# the seconds that the function has for an event
TIMEOUT = 300


class Function:
    """A role, and the processes that run as it: a new one for each event, since the clock of IAM ends a session early."""

    def __init__(self, name, policies, gate, environment):
        self.name, self.gate, self.environment = name, gate, environment
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
        self.arn = gate.role(name, document([trust]), policies)

    def invoke(self, event):
        """What it answers, or `None` where it fails; `said` is why."""
        session = self.gate.gatekeeper.assume_role(RoleArn=self.arn, RoleSessionName="function")["Credentials"]
        self.gate.begins(session["AccessKeyId"], self.arn)
        environment = os.environ | self.environment | {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.gate.url,
            "AWS_ENDPOINT_URL_SSM": self.gate.url,
            "AWS_ENDPOINT_URL_S3": self.gate.url,
            "AWS_ENDPOINT_URL_STS": self.gate.url,
            "AWS_REGION": REGION,
        }
        with open(f"{self.name}.log", "a") as log, lambda_function(
                SESKEY, self.name, ACCOUNT, environment, log, TIMEOUT) as (_, invoke):
            kind, answer = invoke(event)
        self.said = answer.get("errorMessage", "") if kind == "error" else ""
        return answer if kind == "response" else None

    def log(self):
        return pathlib.Path(f"{self.name}.log").read_text()


def document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class Gate:
    """Before moto: a call is let through where the policies of the role that makes it allow it. What is for STS goes to the
    local one, and is listened to: it tells whose a session is.
    """

    def __init__(self, moto):
        self.moto, self.policies, self.roles = moto, {}, {}
        # the root user may assume no role
        self.gatekeeper = self.user_who_assumes()
        self.url = serve(passing(self)).url

    def role(self, name, trust, policies):
        """Makes a role, and gives its ARN."""
        iam = boto3.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.policies[arn] = [document(statements) for statements in policies.values()]
        for policy, text in zip(policies, self.policies[arn]):
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
        return arn

    def begins(self, access_key_id, role):
        self.roles[access_key_id] = role

    def client(self, service):
        """A client of moto's with all rights in the account that the local SES is in."""
        client = boto3.client(service, endpoint_url=self.moto, region_name=REGION)
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", ACCOUNT))
        return client

    def allows(self, role, action, resource):
        policies = [{"via": "inline", "raw": text} for text in self.policies[role]]
        request = {"policies": policies, "request": {"action": action, "resource": resource, "context": {}}}
        check = [SESKEY, "policy", "check", "--json", "--request", "-"]
        said = subprocess.run(check, input=json.dumps(request), capture_output=True, text=True, check=True).stdout
        return json.loads(said)["decision"] == "allow"

    def user_who_assumes(self):
        iam = boto3.client("iam")
        iam.create_user(UserName="lambda")
        assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        iam.put_user_policy(UserName="lambda", PolicyName="assume", PolicyDocument=document([assume]))
        key = iam.create_access_key(UserName="lambda")["AccessKey"]
        return boto3.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


def passing(gate):
    class Passing(Handler):
        def do_GET(self):
            self.do_POST()

        def do_POST(self):
            body = self.body()
            if self.headers["Content-Type"] == FORM:
                return self.answer(*self.sts(body))
            role = gate.roles[re.search(r"Credential=(\w+)/", self.headers["Authorization"])[1]]
            action, resource = asked(self, body)
            if gate.allows(role, action, resource):
                return self.answer(*self.sent_on(gate.moto, body, {"x-moto-account-id": ACCOUNT}))
            message = f"{role} may not {action} on {resource}"
            if action.startswith("s3:"):
                refused = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
                return self.answer(403, refused.encode(), "application/xml")
            refused = {"__type": "AccessDeniedException", "message": message}
            self.answer(400, json.dumps(refused).encode(), JSON)

        def sts(self, body):
            status, said, kind = self.sent_on(os.environ["AWS_ENDPOINT_URL"], body, {})
            role = urllib.parse.parse_qs(body.decode()).get("RoleArn")
            key = re.search(r"<AccessKeyId>(\w+)<", said.decode())
            if role and key:
                gate.begins(key[1], role[0])
            return status, said, kind

        def sent_on(self, to, body, headers):
            headers = dict(self.headers) | headers
            forwarded = urllib.request.Request(to + self.path, body or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(forwarded) as answer:
                    return answer.status, answer.read(), answer.headers.get("Content-Type", "")
            except urllib.error.HTTPError as error:
                return error.code, error.read(), error.headers.get("Content-Type", "")

    return Passing


def asked(request, body):
    """The action of a call, and the resource that it is on."""
    if request.command == "GET":
        return "s3:GetObject", f"arn:aws:s3:::{request.path.lstrip('/').partition('?')[0]}"
    prefix, _, operation = request.headers["X-Amz-Target"].partition(".")
    service, body = SERVICES[prefix], json.loads(body)
    name = body.get("SecretId") or body.get("Name") or "*"
    if name == "*" or name.startswith("arn:"):
        resource = name
    elif service == "ssm":
        resource = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name.lstrip('/')}"
    else:
        resource = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
    return f"{service}:{operation}", resource
