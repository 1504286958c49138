#!/usr/bin/env node
// nodemailer's smtp-server that discards: STARTTLS at $SMTP_PORT, the TLS wrapper at $SMTPS_PORT.
const fs = require('node:fs');

const env = process.env;
let SMTPServer;
try {
  ({ SMTPServer } = require('smtp-server'));
} catch (error) {
  console.error(error.message.split('\n')[0]);
  process.exit(127);
}

for (const [port, secure] of [[env.SMTP_PORT, false], [env.SMTPS_PORT, true]]) {
  new SMTPServer({
    secure,
    cert: fs.readFileSync(env.TLS_CERTIFICATE),
    key: fs.readFileSync(env.TLS_KEY),
    disableReverseLookup: true,
    onAuth: ({ username, password }, session, done) =>
      username === env.SMTP_USER_NAME && password === env.SMTP_PASSWORD
        ? done(null, { user: username })
        : done(new Error('wrong')),
    onData: (stream, session, done) => stream.on('end', done).resume(),
  })
    // a connection that was cut would end the process
    .on('error', () => {})
    .listen(port, '127.0.0.1');
}
