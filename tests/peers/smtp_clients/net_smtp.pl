#!/usr/bin/env perl
# Net::SMTP of Perl's standard library, with Authen::SASL and IO::Socket::SSL
use strict;
use warnings;
use Net::SMTP;

for my $module (qw(Authen::SASL IO::Socket::SSL)) {
    eval "require $module" or print("$module is not installed\n"), exit 127;
}

my ($tls, $sender, $recipient) = @ARGV;
my $smtp = Net::SMTP->new(
    '127.0.0.1',
    Port              => $ENV{SMTP_PORT},
    SSL               => $tls eq 'tls-wrapper',
    SSL_ca_file       => $ENV{SESKEY_CA_FILE},
    SSL_hostname      => $ENV{SMTP_HOST},
    SSL_verifycn_name => $ENV{SMTP_HOST},
) or die "no connection: $@\n";

$tls eq 'tls-wrapper' or expect($smtp->starttls);
expect($smtp->auth($ENV{SMTP_USER_NAME}, $ENV{SMTP_PASSWORD}));
expect($smtp->mail($sender));
expect($smtp->recipient($recipient));
expect($smtp->data(<STDIN>));
expect($smtp->quit);

sub expect {
    my ($success) = @_;
    $success or die $smtp->code, ' ', $smtp->message, "\n";
}
