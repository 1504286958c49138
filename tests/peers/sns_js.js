#!/usr/bin/env node
// Confirms a subscription that the AWS CLI has made, and verifies signatures with sns-validator.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const { env, exit } = require("node:process");

let MessageValidator;
try {
  MessageValidator = require("sns-validator");
} catch {
  console.log("sns-validator is not installed");
  exit(127);
}

https.globalAgent.options.ca = readFileSync(env.SESKEY_CA_FILE);
const here = new URL(env.AWS_ENDPOINT_URL).host;
const validator = new MessageValidator(new RegExp(`^${here.replaceAll(".", "\\.")}$`));
const validate = (message) =>
  new Promise((resolve, reject) =>
    validator.validate(message, (error, valid) => (error ? reject(error) : resolve(valid))),
  );

const received = [];
const waiting = [];
const hook = http.createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  response.end();
  const message = JSON.parse(body);
  (waiting.shift() ?? ((it) => received.push(it)))(message);
});
const next = () => (received.length ? received.shift() : new Promise((resolve) => waiting.push(resolve)));
const aws = (...words) => execFileSync("aws", ["sns", ...words, "--output", "text"], { encoding: "utf8" }).trim();

async function main() {
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  const topic = aws("create-topic", "--name", "events", "--query", "TopicArn");
  const endpoint = `http://127.0.0.1:${hook.address().port}/hook`;
  aws("subscribe", "--topic-arn", topic, "--protocol", "http", "--notification-endpoint", endpoint);

  const confirmation = await validate(await next());
  assert.equal(confirmation.Type, "SubscriptionConfirmation");
  assert.equal((await fetch(confirmation.SubscribeURL)).status, 200);

  aws("publish", "--topic-arn", topic, "--subject", "Grüße", "--message", "zwei\nZeilen");
  const notification = await validate(await next());
  assert.deepEqual([notification.Subject, notification.Message], ["Grüße", "zwei\nZeilen"]);
  await assert.rejects(validate({ ...notification, Message: "another" }), /signature is invalid/);

  assert.equal((await fetch(notification.UnsubscribeURL)).status, 200);
  assert.equal((await next()).Type, "UnsubscribeConfirmation");
}

main().then(
  () => exit(0),
  (error) => {
    console.log(error);
    exit(1);
  },
);
