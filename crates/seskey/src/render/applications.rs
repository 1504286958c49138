//! The configurations of applications, each with the page that it is taken from.

use super::{
    template::Kind::Variables,
    templates::{PLAIN, Text},
};

pub(super) const APPLICATIONS: [Text; 21] = [
    Text {
        name: "django",
        description: "settings of Django",
        file: "settings.py",
        source: "https://docs.djangoproject.com/en/5.2/ref/settings/#email-backend",
        judge: "Django, by a message",
        text: "EMAIL_BACKEND = \"django.core.mail.backends.smtp.EmailBackend\"
EMAIL_HOST = \"{host}\"
EMAIL_PORT = {port}
EMAIL_HOST_USER = \"{user-name}\"
EMAIL_HOST_PASSWORD = \"{password}\"
EMAIL_USE_TLS = {True|False}
EMAIL_USE_SSL = {False|True}
DEFAULT_FROM_EMAIL = \"{from}\"
SERVER_EMAIL = \"{from}\"",
        ..PLAIN
    },
    Text {
        name: "rails",
        description: "the settings of Action Mailer",
        file: "config/environments/production.rb",
        source: "https://guides.rubyonrails.org/action_mailer_basics.html#action-mailer-configuration",
        judge: "Action Mailer, by a message",
        text: "config.action_mailer.delivery_method = :smtp
config.action_mailer.smtp_settings = {
  address: \"{host}\",
  port: {port},
  user_name: \"{user-name}\",
  password: \"{password}\",
  authentication: :login,
  {enable_starttls|tls}: true
}
config.action_mailer.default_options = { from: \"{from}\" }",
        ..PLAIN
    },
    Text {
        name: "laravel",
        description: "variables of Laravel",
        file: ".env",
        source: "https://laravel.com/docs/12.x/mail#configuration",
        judge: "sh, phpdotenv, Symfony Mailer by a message",
        kind: Variables,
        text: "MAIL_MAILER=smtp
MAIL_SCHEME={smtp|smtps}
MAIL_HOST={host}
MAIL_PORT={port}
MAIL_USERNAME={user-name}
MAIL_PASSWORD={password}
MAIL_FROM_ADDRESS={from}",
        ..PLAIN
    },
    Text {
        name: "symfony",
        description: "the variable MAILER_DSN of Symfony",
        file: ".env.local",
        source: "https://symfony.com/doc/current/mailer.html#transport-setup",
        judge: "Symfony Mailer, by a message",
        kind: Variables,
        text: "MAILER_DSN={smtp|smtps}://{user-name}:{url-password}@{address}:{port}",
        ..PLAIN
    },
    Text {
        name: "mailer-dsn",
        description: "the same as a parameter of Symfony, with each % twice",
        file: "config/packages/mailer.yaml",
        source: "https://symfony.com/doc/current/mailer.html#transport-setup",
        judge: "PyYAML, Symfony",
        text: "framework:
    mailer:
        dsn: '{smtp|smtps}://{user-name}:{dsn-password}@{address}:{port}'",
        ..PLAIN
    },
    Text {
        name: "spring-boot",
        description: "properties of Spring Boot",
        file: "application.properties",
        source: "https://docs.spring.io/spring-boot/reference/io/email.html",
        judge: "java.util.Properties",
        text: "spring.mail.host={host}
spring.mail.port={port}
spring.mail.username={user-name}
spring.mail.password={password}
spring.mail.properties.mail.smtp.auth=true
spring.mail.properties.mail.smtp.starttls.enable={true|false}
spring.mail.properties.mail.smtp.starttls.required={true|false}
spring.mail.properties.mail.smtp.ssl.enable={false|true}",
        ..PLAIN
    },
    Text {
        name: "nodemailer",
        description: "options of Nodemailer's transport",
        file: "smtp.json",
        source: "https://nodemailer.com/smtp",
        judge: "Nodemailer, by a message",
        text: "{
  \"host\": \"{host}\",
  \"port\": {port},
  \"secure\": {false|true},
  \"requireTLS\": {true|false},
  \"auth\": {
    \"user\": \"{user-name}\",
    \"pass\": \"{password}\"
  }
}",
        ..PLAIN
    },
    Text {
        name: "grafana",
        description: "the section [smtp] of Grafana",
        file: "/etc/grafana/grafana.ini",
        source: "https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#smtp",
        judge: "configparser",
        text: "[smtp]
enabled = true
host = {address}:{port}
user = {user-name}
password = {password}
startTLS_policy = {MandatoryStartTLS|NoStartTLS}
from_address = {from}",
        ..PLAIN
    },
    Text {
        name: "gitlab",
        description: "settings of GitLab's Linux package",
        file: "/etc/gitlab/gitlab.rb",
        source: "https://docs.gitlab.com/omnibus/settings/smtp/",
        judge: "Ruby",
        text: "gitlab_rails['smtp_enable'] = true
gitlab_rails['smtp_address'] = \"{host}\"
gitlab_rails['smtp_port'] = {port}
gitlab_rails['smtp_user_name'] = \"{user-name}\"
gitlab_rails['smtp_password'] = \"{password}\"
gitlab_rails['smtp_authentication'] = \"login\"
gitlab_rails['smtp_enable_starttls_auto'] = {true|false}
gitlab_rails['smtp_tls'] = {false|true}
gitlab_rails['gitlab_email_from'] = \"{from}\"",
        ..PLAIN
    },
    Text {
        name: "alertmanager",
        description: "the global settings of Alertmanager",
        file: "/etc/alertmanager/alertmanager.yml",
        source: "https://prometheus.io/docs/alerting/latest/configuration/#file-layout-and-global-settings",
        judge: "amtool, Alertmanager by a message",
        text: "global:
  smtp_smarthost: \"{address}:{port}\"
  smtp_auth_username: \"{user-name}\"
  smtp_auth_password: \"{password}\"
  smtp_require_tls: {true|false}
  smtp_from: \"{from}\"",
        ..PLAIN
    },
    Text {
        name: "wordpress",
        description: "constants of the plugin WP Mail SMTP",
        file: "wp-config.php",
        source: "https://wpmailsmtp.com/docs/how-to-secure-smtp-settings-by-using-constants/",
        judge: "PHP",
        text: "define( 'WPMS_ON', true );
define( 'WPMS_MAILER', 'smtp' );
define( 'WPMS_SMTP_HOST', '{host}' );
define( 'WPMS_SMTP_PORT', {port} );
define( 'WPMS_SSL', '{tls|ssl}' );
define( 'WPMS_SMTP_AUTH', true );
define( 'WPMS_SMTP_USER', '{user-name}' );
define( 'WPMS_SMTP_PASS', '{password}' );
define( 'WPMS_MAIL_FROM', '{from}' );",
        ..PLAIN
    },
    Text {
        name: "nextcloud",
        description: "a configuration file of Nextcloud beside its config.php",
        file: "config/smtp.config.php",
        source: "https://docs.nextcloud.com/server/latest/admin_manual/configuration_server/email_configuration.html",
        judge: "PHP",
        text: "<?php
$CONFIG = array (
  'mail_smtpmode' => 'smtp',
  'mail_smtphost' => '{host}',
  'mail_smtpport' => {port},
  'mail_smtpsecure' => '{|ssl}',
  'mail_smtpauth' => true,
  'mail_smtpname' => '{user-name}',
  'mail_smtppassword' => '{password}',
  'mail_from_address' => '{from-local}',
  'mail_domain' => '{from-domain}',
);",
        ..PLAIN
    },
    Text {
        name: "keycloak",
        description: "the member smtpServer of a realm of Keycloak",
        source: "https://www.keycloak.org/docs-api/latest/rest-api/index.html#RealmRepresentation",
        judge: "Python",
        text: "{
  \"smtpServer\": {
    \"host\": \"{host}\",
    \"port\": \"{port}\",
    \"starttls\": \"{true|false}\",
    \"ssl\": \"{false|true}\",
    \"from\": \"{from}\",
    \"auth\": \"true\",
    \"user\": \"{user-name}\",
    \"password\": \"{password}\"
  }
}",
        ..PLAIN
    },
    Text {
        name: "mastodon",
        description: "variables of Mastodon",
        file: ".env.production",
        source: "https://docs.joinmastodon.org/admin/config/#email",
        judge: "sh, dotenv of Ruby",
        kind: Variables,
        text: "SMTP_SERVER={host}
SMTP_PORT={port}
SMTP_LOGIN={user-name}
SMTP_PASSWORD={password}
SMTP_AUTH_METHOD=login
SMTP_ENABLE_STARTTLS={always|never}
SMTP_SSL={false|true}
SMTP_FROM_ADDRESS={from}",
        ..PLAIN
    },
    Text {
        name: "discourse",
        description: "the settings of Discourse's container",
        file: "containers/app.yml",
        source: "https://github.com/discourse/discourse/blob/main/config/discourse_defaults.conf",
        judge: "PyYAML, Ruby",
        text: "env:
  DISCOURSE_SMTP_ADDRESS: \"{host}\"
  DISCOURSE_SMTP_PORT: {port}
  DISCOURSE_SMTP_USER_NAME: \"{user-name}\"
  DISCOURSE_SMTP_PASSWORD: \"{password}\"
  DISCOURSE_SMTP_ENABLE_START_TLS: {true|false}
  DISCOURSE_SMTP_FORCE_TLS: {false|true}
  DISCOURSE_NOTIFICATION_EMAIL: \"{from}\"",
        ..PLAIN
    },
    gitea(
        "gitea",
        "the section [mailer] of Gitea",
        "custom/conf/app.ini",
        "https://docs.gitea.com/administration/email-setup",
    ),
    gitea(
        "forgejo",
        "the section [mailer] of Forgejo",
        "/etc/forgejo/app.ini",
        "https://forgejo.org/docs/latest/admin/setup/email-setup/",
    ),
    Text {
        name: "n8n",
        description: "variables of n8n",
        file: ".env",
        source: "https://docs.n8n.io/hosting/configuration/environment-variables/user-management-smtp-2fa/",
        judge: "sh, python-dotenv",
        kind: Variables,
        text: "N8N_EMAIL_MODE=smtp
N8N_SMTP_HOST={host}
N8N_SMTP_PORT={port}
N8N_SMTP_USER={user-name}
N8N_SMTP_PASS={password}
N8N_SMTP_SSL={false|true}
N8N_SMTP_STARTTLS={true|false}
N8N_SMTP_SENDER={from}",
        ..PLAIN
    },
    Text {
        name: "metabase",
        description: "variables of Metabase",
        file: ".env",
        source: "https://www.metabase.com/docs/latest/configuring-metabase/environment-variables",
        judge: "sh, python-dotenv",
        kind: Variables,
        text: "MB_EMAIL_SMTP_HOST={host}
MB_EMAIL_SMTP_PORT={port}
MB_EMAIL_SMTP_USERNAME={user-name}
MB_EMAIL_SMTP_PASSWORD={password}
MB_EMAIL_SMTP_SECURITY={starttls|ssl}
MB_EMAIL_FROM_ADDRESS={from}",
        ..PLAIN
    },
    Text {
        name: "sentry",
        description: "the mail settings of self-hosted Sentry",
        file: "sentry/config.yml",
        source: "https://develop.sentry.dev/self-hosted/configuration/email/",
        judge: "PyYAML, Ruby",
        text: "mail.backend: \"smtp\"
mail.host: \"{host}\"
mail.port: {port}
mail.username: \"{user-name}\"
mail.password: \"{password}\"
mail.use-tls: {true|false}
mail.use-ssl: {false|true}
mail.from: \"{from}\"",
        ..PLAIN
    },
    Text {
        name: "authentik",
        description: "variables of authentik",
        file: ".env",
        source: "https://docs.goauthentik.io/install-config/email/",
        judge: "sh, python-dotenv",
        kind: Variables,
        text: "AUTHENTIK_EMAIL__HOST={host}
AUTHENTIK_EMAIL__PORT={port}
AUTHENTIK_EMAIL__USERNAME={user-name}
AUTHENTIK_EMAIL__PASSWORD={password}
AUTHENTIK_EMAIL__USE_TLS={true|false}
AUTHENTIK_EMAIL__USE_SSL={false|true}
AUTHENTIK_EMAIL__FROM={from}",
        ..PLAIN
    },
];

/// Makes the text of both: Forgejo began as Gitea, and reads the same.
const fn gitea(
    name: &'static str,
    description: &'static str,
    file: &'static str,
    source: &'static str,
) -> Text {
    Text {
        name,
        description,
        file,
        source,
        judge: "configparser",
        text: "[mailer]
ENABLED = true
PROTOCOL = {smtp+starttls|smtps}
SMTP_ADDR = {host}
SMTP_PORT = {port}
USER = {user-name}
PASSWD = `{password}`
FROM = {from}",
        ..PLAIN
    }
}
