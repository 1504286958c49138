#!/usr/bin/env node
// The AWS SDK for JavaScript makes a user who may send, watches the access key, meets the refusals, and cleans up.

const assert = require("node:assert/strict");
const { env, exit } = require("node:process");

let iamSdk, stsSdk;
try {
  iamSdk = require("@aws-sdk/client-iam");
  stsSdk = require("@aws-sdk/client-sts");
} catch {
  console.log("the AWS SDK for JavaScript is not installed");
  exit(127);
}

const iam = new iamSdk.IAM();

const ANN = { UserName: "Ann" };
const SENDERS = { GroupName: "senders" };
const INLINE = { PolicyName: "AmazonSesSendingAccess" };
const MAY_SEND = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: "*" }],
};
const DOCUMENT = { PolicyDocument: JSON.stringify(MAY_SEND) };

async function main() {
  await users();
  await policies();
  await accessKeys();
  await pages();
  await deletion();
}

async function users() {
  const { User } = await iam.createUser({ ...ANN, Path: "/mail/", Tags: [{ Key: "team", Value: "a + b/é" }] });
  assert.equal(User.Arn, `arn:aws:iam::${env.ACCOUNT}:user/mail/Ann`);
  assert.deepEqual((await iam.getUser(ANN)).User, User);
  await refused("EntityAlreadyExistsException", "User with name ann already exists.", iam.createUser({ UserName: "ann" }));
  await refused("NoSuchEntityException", "The user with name nobody cannot be found.", iam.getUser({ UserName: "nobody" }));

  await iam.tagUser({ ...ANN, Tags: [{ Key: "InvokedBy", Value: "SESConsole" }] });
  await iam.untagUser({ ...ANN, TagKeys: ["team"] });
  assert.deepEqual((await iam.listUserTags(ANN)).Tags, [{ Key: "InvokedBy", Value: "SESConsole" }]);

  await iam.createGroup(SENDERS);
  await iam.addUserToGroup({ ...SENDERS, ...ANN });
  assert.deepEqual((await iam.getGroup(SENDERS)).Users.map((user) => user.UserName), ["Ann"]);
  assert.deepEqual((await iam.listGroupsForUser(ANN)).Groups.map((group) => group.GroupName), ["senders"]);
  await obstacle("must remove users from group first", iam.deleteUser(ANN));
  await iam.removeUserFromGroup({ ...SENDERS, ...ANN });
}

async function policies() {
  await iam.putUserPolicy({ ...ANN, ...INLINE, ...DOCUMENT });
  const { PolicyDocument } = await iam.getUserPolicy({ ...ANN, ...INLINE });
  assert.deepEqual(JSON.parse(decodeURIComponent(PolicyDocument)), MAY_SEND);
  await refused("MalformedPolicyDocumentException", "Syntax errors in policy.",
    iam.putUserPolicy({ ...ANN, ...INLINE, PolicyDocument: "{" }));
  await obstacle("must delete policies first", iam.deleteUser(ANN));
  await iam.deleteUserPolicy({ ...ANN, ...INLINE });

  const { Policy } = await iam.createPolicy({ PolicyName: "MaySend", ...DOCUMENT });
  const maySend = { PolicyArn: Policy.Arn };
  await iam.attachGroupPolicy({ ...SENDERS, ...maySend });
  assert.equal((await iam.getPolicy(maySend)).Policy.AttachmentCount, 1);
  await obstacle("must detach all policies first", iam.deleteGroup(SENDERS));
  await refused("DeleteConflictException", "Cannot delete a policy attached to entities.", iam.deletePolicy(maySend));
  await iam.detachGroupPolicy({ ...SENDERS, ...maySend });
  await iam.deletePolicy(maySend);
  await iam.deleteGroup(SENDERS);
}

async function accessKeys() {
  const { AccessKey: key } = await iam.createAccessKey(ANN);
  const { AccessKey: second } = await iam.createAccessKey(ANN);
  await refused("LimitExceededException", "Cannot exceed quota for AccessKeysPerUser: 2", iam.createAccessKey(ANN));
  await iam.deleteAccessKey({ ...ANN, AccessKeyId: second.AccessKeyId });

  const id = { AccessKeyId: key.AccessKeyId };
  const lastUsed = async () => (await iam.getAccessKeyLastUsed(id)).AccessKeyLastUsed;
  const credentials = { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
  const asAnn = new stsSdk.STS({ credentials });

  assert.deepEqual(await lastUsed(), { ServiceName: "N/A", Region: "N/A" });
  assert.equal((await asAnn.getCallerIdentity({})).Arn, `arn:aws:iam::${env.ACCOUNT}:user/mail/Ann`);
  const { LastUsedDate, ...where } = await lastUsed();
  assert(LastUsedDate instanceof Date);
  assert.deepEqual(where, { ServiceName: "sts", Region: env.AWS_REGION });
  await refused("AccessDenied",
    `User: arn:aws:iam::${env.ACCOUNT}:user/mail/Ann is not authorized to perform: iam:ListUsers on resource: ` +
      `arn:aws:iam::${env.ACCOUNT}:user/ because no identity-based policy allows the iam:ListUsers action`,
    new iamSdk.IAM({ credentials }).listUsers({}));

  await iam.updateAccessKey({ ...ANN, ...id, Status: "Inactive" });
  assert.deepEqual((await iam.listAccessKeys(ANN)).AccessKeyMetadata.map((found) => found.Status), ["Inactive"]);
  await refused("InvalidClientTokenId", "The security token included in the request is invalid.",
    asAnn.getCallerIdentity({}));
  await obstacle("must delete access keys first", iam.deleteUser(ANN));
  await iam.deleteAccessKey({ ...ANN, ...id });
  await refused("NoSuchEntityException", `The Access Key with id ${key.AccessKeyId} cannot be found.`,
    iam.deleteAccessKey({ ...ANN, ...id }));
}

async function pages() {
  const names = Array.from({ length: 20 }, (_, number) => `user-${number}`);
  for (const UserName of names) await iam.createUser({ UserName, Path: "/many/" });
  const found = [];
  for await (const page of iamSdk.paginateListUsers({ client: iam, pageSize: 7 }, { PathPrefix: "/many/" })) {
    found.push(page.Users.map((user) => user.UserName));
  }
  assert.deepEqual(found.map((page) => page.length), [7, 7, 6]);
  assert.deepEqual(found.flat().sort(), names.sort());
  for (const UserName of names) await iam.deleteUser({ UserName });
}

async function deletion() {
  await iam.deleteUser(ANN);
  await refused("NoSuchEntityException", "The user with name Ann cannot be found.", iam.deleteUser(ANN));
  assert.deepEqual((await iam.listUsers({})).Users, []);
  assert.deepEqual((await iam.listPolicies({ Scope: "Local" })).Policies, []);
}

function refused(name, message, call) {
  return assert.rejects(call, { name, message });
}

function obstacle(whatToDo, call) {
  return refused("DeleteConflictException", `Cannot delete entity, ${whatToDo}.`, call);
}

main();
