#!/usr/bin/env node
// nodemailer, which closes the connection without QUIT

const { readFileSync } = require("node:fs");
const { env, argv, exit } = require("node:process");

let nodemailer;
try {
  nodemailer = require("nodemailer");
} catch {
  console.log("nodemailer is not installed");
  exit(127);
}

const [tls, from, to] = argv.slice(2);
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: env.SMTP_PORT,
  secure: tls === "tls-wrapper",
  requireTLS: true,
  tls: { ca: readFileSync(env.SESKEY_CA_FILE), servername: env.SMTP_HOST },
  auth: { user: env.SMTP_USER_NAME, pass: env.SMTP_PASSWORD },
});
transport.sendMail({ envelope: { from, to }, raw: readFileSync(0) }).catch((error) => {
  console.log(error.response ?? error);
  exit(1);
});
