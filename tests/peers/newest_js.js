// The calls of the newest AWS SDK for JavaScript on the way to an SMTP user and a sent mail.

const assert = require("node:assert/strict");
const { env } = require("node:process");
const { IAM } = require("@aws-sdk/client-iam");
const { SES } = require("@aws-sdk/client-ses");
const { SESv2 } = require("@aws-sdk/client-sesv2");
const { STS } = require("@aws-sdk/client-sts");

const [iam, ses, sesv2, sts] = [new IAM(), new SES(), new SESv2(), new STS()];
const ANN = { UserName: "ann" };
const READ = { PolicyArn: "arn:aws:iam::aws:policy/AmazonSESReadOnlyAccess" };
const SEND = {
  PolicyName: "send",
  PolicyDocument: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: "*" }],
  }),
};
const RAW = Buffer.from("From: ann@example.com\r\nTo: bob@example.net\r\nSubject: s\r\n\r\nt\r\n");

async function main() {
  assert.equal((await sts.getCallerIdentity({})).Account, env.ACCOUNT);
  await account();
  const { AccessKeyId } = await user();
  await send();
  await remove(AccessKeyId);
}

async function account() {
  assert.equal((await iam.getAccountSummary({})).SummaryMap.AccountMFAEnabled, 0);
  assert.deepEqual((await iam.listAccountAliases({})).AccountAliases, []);
  assert.deepEqual((await iam.listVirtualMFADevices({ AssignmentStatus: "Any" })).VirtualMFADevices, []);
  await assert.rejects(iam.getAccountPasswordPolicy({}), {
    name: "NoSuchEntityException",
    message: `The Password Policy with domain name ${env.ACCOUNT} cannot be found.`,
  });
  assert.deepEqual((await iam.getPolicy(READ)).Policy.Tags, []);
}

async function user() {
  await iam.createUser(ANN);
  await iam.putUserPolicy({ ...ANN, ...SEND });
  await iam.attachUserPolicy({ ...ANN, ...READ });
  const { AccessKey } = await iam.createAccessKey(ANN);
  assert.equal((await iam.getAccessKeyLastUsed(AccessKey)).UserName, "ann");
  return AccessKey;
}

async function send() {
  await sesv2.createEmailIdentity({ EmailIdentity: "example.com" });
  const { EmailIdentities } = await sesv2.listEmailIdentities({});
  assert.deepEqual(EmailIdentities.map((identity) => identity.IdentityName), ["example.com"]);
  assert.ok((await sesv2.getAccount({})).SendingEnabled);
  await sesv2.deleteEmailIdentityPolicy({ EmailIdentity: "example.com", PolicyName: "none" });
  assert.ok((await ses.sendRawEmail({ RawMessage: { Data: RAW } })).MessageId);
  assert.ok((await sesv2.sendEmail({ Content: { Raw: { Data: RAW } } })).MessageId);
}

async function remove(AccessKeyId) {
  assert.deepEqual((await iam.listMFADevices(ANN)).MFADevices, []);
  assert.deepEqual((await iam.listSSHPublicKeys(ANN)).SSHPublicKeys, []);
  assert.deepEqual((await iam.listSigningCertificates(ANN)).Certificates, []);
  assert.deepEqual((await iam.listServiceSpecificCredentials(ANN)).ServiceSpecificCredentials, []);
  await iam.deleteAccessKey({ ...ANN, AccessKeyId });
  await iam.deleteUserPolicy({ ...ANN, PolicyName: "send" });
  await iam.detachUserPolicy({ ...ANN, ...READ });
  await iam.deleteUser(ANN);
}

main();
