"""The calls of the newest boto3 on the way to an SMTP user and a sent mail."""

import base64
import hashlib
import hmac
import json
import os
import smtplib
import ssl

import boto3
import botocore

print(f"version boto3 {boto3.__version__}, botocore {botocore.__version__}")
iam, ses, sesv2, sts = (boto3.client(name) for name in ("iam", "ses", "sesv2", "sts"))
SEND = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}]}
READ = "arn:aws:iam::aws:policy/AmazonSESReadOnlyAccess"
RAW = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: s\r\n\r\nt\r\n"


def main():
    assert sts.get_caller_identity()["Account"] == os.environ["ACCOUNT"]
    account()
    key = user()
    send_by_api()
    send_by_smtp(key)
    delete(key)


def account():
    """What a tool looks at before it makes anything."""
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 0
    assert iam.list_account_aliases()["AccountAliases"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Any")["VirtualMFADevices"] == []
    try:
        iam.get_account_password_policy()
        raise AssertionError("there is no password policy")
    except iam.exceptions.NoSuchEntityException as error:
        text = f"The Password Policy with domain name {os.environ['ACCOUNT']} cannot be found."
        assert error.response["Error"]["Message"] == text, error
    assert iam.get_policy(PolicyArn=READ)["Policy"]["Tags"] == []


def user():
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="send", PolicyDocument=json.dumps(SEND))
    iam.attach_user_policy(UserName="ann", PolicyArn=READ)
    policy = iam.create_policy(PolicyName="send", PolicyDocument=json.dumps(SEND), Description="to send")["Policy"]
    assert "Description" not in policy and "Tags" not in policy, policy
    iam.delete_policy(PolicyArn=policy["Arn"])
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "ann"
    return key


def send_by_api():
    sesv2.create_email_identity(EmailIdentity="example.com")
    names = [it["IdentityName"] for it in sesv2.list_email_identities()["EmailIdentities"]]
    assert names == ["example.com"], names
    assert sesv2.get_account()["SendingEnabled"]
    sesv2.delete_email_identity_policy(EmailIdentity="example.com", PolicyName="none")
    assert ses.send_raw_email(RawMessage={"Data": RAW})["MessageId"]
    simple = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}
    assert sesv2.send_email(FromEmailAddress="ann@example.com", Destination={"ToAddresses": ["bob@example.net"]},
                            Content={"Simple": simple})["MessageId"]


def send_by_smtp(key):
    signature = ("AWS4" + key["SecretAccessKey"]).encode()
    for part in ("11111111", os.environ["AWS_REGION"], "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    password = base64.b64encode(b"\x04" + signature).decode()
    context = ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"])
    with smtplib.SMTP_SSL("localhost", int(os.environ["TLS_WRAPPER_PORT"]), context=context) as smtp:
        smtp.login(key["AccessKeyId"], password)
        smtp.sendmail("ann@example.com", ["bob@example.net"], RAW)
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "ses-smtp"


def delete(key):
    """What must be looked for before a user can go."""
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    assert iam.list_ssh_public_keys(UserName="ann")["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName="ann")["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName="ann")["ServiceSpecificCredentials"] == []
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="ann", PolicyName="send")
    iam.detach_user_policy(UserName="ann", PolicyArn=READ)
    iam.delete_user(UserName="ann")


main()
