#!/usr/bin/env node
// Mailpit's own client waits for, searches, reads, marks and deletes the messages that nodemailer has sent.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { env, exit } = require("node:process");

let MailpitClient, nodemailer;
try {
  ({ MailpitClient } = require("mailpit-api"));
  nodemailer = require("nodemailer");
} catch {
  console.log("mailpit-api is not installed");
  exit(127);
}

const mailpit = new MailpitClient(env.AWS_ENDPOINT_URL);
const credential = JSON.parse(execFileSync(env.SESKEY, ["create", "app", "--json"]));
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: env.STARTTLS_PORT,
  requireTLS: true,
  tls: { ca: readFileSync(env.SESKEY_CA_FILE), servername: "localhost" },
  auth: { user: credential.smtp_user_name, pass: credential.smtp_password },
});

const LOGO = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]);

async function main() {
  assert.equal((await mailpit.getInfo()).Messages, 0);
  assert.deepEqual((await mailpit.waitForMessages({ count: 0 })).messages, []);
  await assert.rejects(mailpit.getMessageSummary(), /404/);

  const waiting = mailpit.waitForMessage({ query: 'subject:"Grüße, Ann"' }, { interval: 50, timeout: 20000 });
  await send("Hello");
  await send("Grüße, Ann", {
    html: '<p>Hi <img src="cid:logo"></p>',
    attachments: [
      { filename: "logo.png", cid: "logo", content: LOGO },
      { filename: "ä b.txt", content: "a text" },
    ],
  });
  await message(await waiting);
  await lists();
  await readStates();
  await deletion();
}

async function send(subject, more) {
  const from = { name: "Ann", address: "ann@example.com" };
  await transport.sendMail({ from, to: "bob@example.org", cc: "eve@example.org", bcc: "boss@example.org", subject, text: "Hi", ...more });
}

async function message(found) {
  assert.equal(found.Subject, "Grüße, Ann");
  assert.deepEqual(found.From, { Name: "Ann", Address: "ann@example.com" });
  const addresses = (list) => list.map(({ Address }) => Address);
  assert.deepEqual(
    [found.To, found.Cc, found.Bcc].map(addresses),
    [["bob@example.org"], ["eve@example.org"], ["boss@example.org"]],
  );
  assert.equal(found.ReturnPath, "ann@example.com");
  assert.equal(found.Text.trim(), "Hi");
  assert.equal(found.HTML, '<p>Hi <img src="cid:logo"></p>');
  assert.ok(Date.now() - Date.parse(found.Date) < 600000);

  const [inline] = found.Inline;
  const [attached] = found.Attachments;
  assert.deepEqual([inline.ContentID, inline.ContentType, inline.Size], ["logo", "image/png", LOGO.length]);
  assert.deepEqual([attached.FileName, attached.Size], ["ä b.txt", 6]);
  const content = async ({ PartID }) => Buffer.from(await (await mailpit.getMessageAttachment(found.ID, PartID)).arrayBuffer());
  assert.deepEqual(await content(inline), LOGO);
  assert.equal((await content(attached)).toString(), "a text");

  assert.deepEqual((await mailpit.getMessageHeaders(found.ID)).To, ["bob@example.org"]);
  assert.ok((await mailpit.getMessageSource(found.ID)).includes("\r\nTo: bob@example.org\r\n"));
  // instead of Mailpit's link to the part, since the page may load nothing
  assert.ok((await mailpit.renderMessageHTML()).includes(`src="data:image/png;base64,${LOGO.toString("base64")}"`));
  assert.equal((await mailpit.renderMessageText()).trim(), "Hi");
}

async function lists() {
  const { messages, total, messages_count } = await mailpit.listMessages(0, 1);
  assert.deepEqual([messages.length, messages[0].Subject, total, messages_count], [1, "Grüße, Ann", 2, 2]);
  assert.deepEqual([messages[0].Attachments, messages[0].Snippet], [2, "Hi"]);
  const count = async (query) => (await mailpit.searchMessages({ query })).messages_count;
  for (const [query, found] of [["to:bob", 2], ["has:attachment", 1], ["!subject:hello", 1], ["from:nobody", 0]]) {
    assert.equal(await count(query), found, query);
  }
  await assert.rejects(mailpit.searchMessages({ query: "tag:x" }), /400/);
}

async function readStates() {
  const unread = async () => (await mailpit.getInfo()).Unread;
  await mailpit.setReadStatus();
  assert.equal(await unread(), 2);
  await mailpit.setReadStatus({ Search: "subject:hello", Read: true });
  assert.equal(await unread(), 1);
  await mailpit.getMessageSummary("latest");
  assert.equal(await unread(), 0);
}

async function deletion() {
  assert.equal(await mailpit.deleteMessagesBySearch({ query: "subject:hello" }), "ok");
  const { messages } = await mailpit.listMessages();
  assert.deepEqual(messages.map(({ Subject }) => Subject), ["Grüße, Ann"]);
  await mailpit.deleteMessages({ IDs: [messages[0].ID] });
  assert.equal((await mailpit.waitForMessages({ count: 0 })).total, 0);
}

main().catch((error) => {
  console.log(error);
  exit(1);
});
