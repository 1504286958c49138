#!/usr/bin/env ruby
# net/smtp of Ruby's standard library

require 'net/smtp'

tls, sender, recipient = ARGV
smtp = Net::SMTP.new('127.0.0.1', ENV.fetch('SMTP_PORT'), tls_hostname: ENV.fetch('SMTP_HOST'),
                     ssl_context_params: { ca_file: ENV.fetch('SESKEY_CA_FILE') })
tls == 'starttls' ? smtp.enable_starttls : smtp.enable_tls
begin
  smtp.start(user: ENV.fetch('SMTP_USER_NAME'), secret: ENV.fetch('SMTP_PASSWORD'), authtype: :plain) do
    smtp.send_message($stdin.read, sender, recipient)
  end
rescue Net::ProtocolError => e
  abort e.message
end
