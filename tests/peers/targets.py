#!/usr/bin/env python3
"""The files of `seskey render` for applications, read by the applications' own readers: each finds the given values."""

import configparser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
import urllib.parse

try:
    import django.conf
    import django.core.mail
    import dotenv
    import hcl2
    import yaml
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

for program in "node", "php", "ruby", "java", "postmap", "exim4", "smtpd", "makemap", "amtool", "systemd-creds":
    if not shutil.which(program):
        print(f"{program} is not installed")
        sys.exit(127)

USER_NAME = "AKIAIOSFODNN7EXAMPLE"
PASSWORDS = ["BP" + "/+" * 21, "B" + "P" * 43, "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd"]
HOST = "email-smtp.us-east-1.amazonaws.com"
SENDER = "news+a_b@example.com"


def main():
    django.conf.settings.configure()
    listed = said(os.environ["SESKEY"], "render", "--help")
    unjudged = [name for name in targets(listed) if name not in READERS and name not in JUDGED_ELSEWHERE]
    assert not unjudged, unjudged
    for password in PASSWORDS:
        for port in 587, 465:
            given = {"host": HOST, "port": port, "user": USER_NAME, "password": password, "from": SENDER}
            for target, readers in READERS.items():
                file("rendered", render(target, password, port))
                for read in readers:
                    found = read(file("rendered", render(target, password, port)))
                    wrong = {name: value for name, value in found.items() if str(value) != str(given[name])}
                    assert not wrong, f"{target}, by {read.__name__}: {wrong}"
                    assert found["password"] if target != "user-name" else found["user"], found


def targets(text):
    """The names in the list of possible values."""
    lines = text.split("Possible values:", 1)[1].split("\n\n", 1)[0].splitlines()
    names = [line.split(":")[0].removeprefix("- ").strip() for line in map(str.strip, lines) if line.startswith("- ")]
    assert len(names) > 30, names
    return names


def render(target, password, port):
    login = {"smtp_user_name": USER_NAME, "smtp_password": password}
    pathlib.Path("credential.json").write_text(json.dumps(login))
    return said(os.environ["SESKEY"], "render", target, "--credentials", "credential.json", "--host", HOST,
                "--port", str(port), "--from", SENDER)


def url(path):
    parts = urllib.parse.urlsplit(text(path).removesuffix("\n"))
    unquote = urllib.parse.unquote
    assert parts.scheme == ("smtps" if parts.port == 465 else "smtp"), parts
    return {"host": parts.hostname, "port": parts.port, "user": unquote(parts.username), "password": unquote(parts.password)}


def node_url(path):
    return json.loads(said("node", "-e", """
        const url = new URL(require("fs").readFileSync(process.argv[1], "utf8").trim());
        console.log(JSON.stringify({host: url.hostname, port: url.port, user: decodeURIComponent(url.username),
            password: decodeURIComponent(url.password)}));""", path))


def symfony_dsn(path):
    return php("""require "Symfony/Component/Mailer/autoload.php";
        $dsn = Symfony\\Component\\Mailer\\Transport\\Dsn::fromString(trim(file_get_contents($path)));
        $found = ["host" => $dsn->getHost(), "port" => $dsn->getPort(), "user" => $dsn->getUser(), "password" => $dsn->getPassword()];""", path)


def symfony_env(path):
    return symfony_dsn(file("dsn", phpdotenv(path)["MAILER_DSN"]))


def symfony_parameter(path):
    dsn = yaml.safe_load(text(path))["framework"]["mailer"]["dsn"]
    assert dsn.replace("%%", "").count("%") == 0, dsn
    return symfony_dsn(file("dsn", dsn.replace("%%", "%")))


def phpdotenv(path):
    return php("""require "Dotenv/autoload.php"; $found = Dotenv\\Dotenv::parse(file_get_contents($path));""", path)


def python_dotenv(path):
    return dict(dotenv.dotenv_values(path))


def shell(path):
    script = f"set -a; . {path}; exec env -0"
    return dict(entry.split("=", 1) for entry in said("sh", "-c", script).split("\0") if entry)


def ruby_dotenv(path):
    return json.loads(said("ruby", "-rdotenv", "-rjson", "-e", "puts Dotenv::Parser.call(File.read(ARGV[0])).to_json", path))


def names(read, **called):
    """A reader of a mapping, of which these names count."""
    def reader(path):
        values = read(path)
        return {what: values[name] for what, name in called.items()}
    reader.__name__ = read.__name__
    return reader


def smarthost(read, host, **called):
    """The same where the host has the port behind it."""
    def reader(path):
        values = read(path)
        name, _, port = values[host].rpartition(":")
        return {"host": name, "port": port} | {what: values[name] for what, name in called.items()}
    reader.__name__ = read.__name__
    return reader


def pyyaml(path):
    return yaml.safe_load(text(path))


def within(read, *members):
    def reader(path):
        values = read(path)
        for member in members:
            values = values[member]
        return values
    reader.__name__ = read.__name__
    return reader


def ruby_yaml(path):
    return json.loads(said("ruby", "-ryaml", "-rjson", "-e", "puts YAML.load_file(ARGV[0]).to_json", path))


def amtool(path):
    config = text(path) + "route: {receiver: mail}\nreceivers: [{name: mail, email_configs: [{to: bob@example.com}]}]\n"
    assert "SUCCESS" in said("amtool", "check-config", file("alertmanager.yml", config))
    return smarthost(within(pyyaml, "global"), "smtp_smarthost", user="smtp_auth_username", password="smtp_auth_password")(path)


def toml(path):
    return tomllib.loads(text(path))


def terraform(path):
    return {name: value.strip('"') if isinstance(value, str) else value for name, value in hcl2.loads(text(path)).items()}


def python_json(path):
    return json.loads(text(path))


def nodemailer(path):
    options = json.loads(said("node", "-e", """
        const mailer = require("nodemailer").createTransport(JSON.parse(require("fs").readFileSync(process.argv[1])));
        console.log(JSON.stringify(mailer.options));""", path))
    assert options["secure"] == (options["port"] == 465) != options["requireTLS"], options
    return {"host": options["host"], "port": options["port"], "user": options["auth"]["user"], "password": options["auth"]["pass"]}


def django_settings(path):
    settings = {}
    exec(compile(text(path), path, "exec"), settings)
    for name, value in settings.items():
        if name.isupper():
            setattr(django.conf.settings, name, value)
    mail = django.core.mail.get_connection()
    assert mail.use_ssl == (mail.port == 465) != mail.use_tls
    return {"host": mail.host, "port": mail.port, "user": mail.username, "password": mail.password,
            "from": django.core.mail.EmailMessage().from_email}


def action_mailer(path):
    return json.loads(said("ruby", "-raction_mailer", "-rjson", "-e", """
        config = Struct.new(:action_mailer).new(ActionMailer::Base)
        eval(File.read(ARGV[0]))
        settings, default = ActionMailer::Base.smtp_settings, ActionMailer::Base.default
        abort "not over TLS" unless settings[settings[:port] == 465 ? :tls : :enable_starttls]
        puts({host: settings[:address], port: settings[:port], user: settings[:user_name], password: settings[:password],
              from: default[:from]}.to_json)""", path))


def gitlab(path):
    return json.loads(said("ruby", "-rjson", "-e",
                           "gitlab_rails = {}; eval(File.read(ARGV[0])); puts gitlab_rails.to_json", path))


def wordpress(path):
    return php("""eval(file_get_contents($path)); $found = get_defined_constants(true)["user"];""", path)


def nextcloud(path):
    found = php("include $path; $found = $CONFIG;", path)
    found["from"] = found["mail_from_address"] + "@" + found["mail_domain"]
    return found


def php(code, path):
    return json.loads(said("php", "-r", f"$path = $argv[1]; {code} echo json_encode($found);", path))


def ini(section):
    def configparser_of(path):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(text(path))
        return {name: value.strip("`") for name, value in parser[section].items()}
    return configparser_of


def properties(path):
    program = file("Properties.java", """
        public class Properties {
            public static void main(String[] path) throws Exception {
                var properties = new java.util.Properties();
                properties.load(new java.io.FileReader(path[0]));
                properties.forEach((name, value) -> System.out.println(name + "=" + value));
            }
        }""")
    return dict(line.split("=", 1) for line in said("java", program, path).splitlines())


def postmap(key):
    def postfix(path):
        file("main.cf", "compatibility_level = 3.6\n")
        user, password = said("postmap", "-c", ".", "-q", key(path), "texthash:" + path).strip().split(":")
        return {"user": user, "password": password}
    return postfix


def first_word(path):
    word = text(path).split()[0]
    assert word in (f"{HOST}:587", f"{HOST}:465", SENDER), word
    return word


def exim(path):
    # the user that Debian's Exim becomes
    users = {"NSS_WRAPPER_PASSWD": file("passwd", "root:x:0:0::/:\nDebian-exim:x:65534:65534::/:\n"),
             "NSS_WRAPPER_GROUP": file("group", "root:x:0:\nDebian-exim:x:65534:\n"), "LD_PRELOAD": "libnss_wrapper.so"}
    value = said("exim4", "-C", file("exim.conf", "keep_environment =\n"), "-be",
                 f"${{lookup{{{HOST}}}nwildlsearch{{{path}}}}}", env=os.environ | users).strip()
    user, password = value.split(":")
    return {"user": user, "password": password}


def makemap(path):
    configuration = file("sendmail.cf", "")
    said("makemap", "-C", configuration, "hash", "authinfo.db", input=text(path))
    key, value = said("makemap", "-C", configuration, "-u", "hash", "authinfo.db").strip().split("\t", 1)
    assert key == f"authinfo:{HOST}", key
    parts = dict(part.split(":", 1) for part in value.strip('"').split('" "'))
    assert parts["U"] == parts["I"] and parts["M"] == "PLAIN", parts
    return {"user": parts["U"], "password": parts["P"]}


def smtpd(path):
    config = f'table ses file:{path}\naction "ses" relay host smtp+tls://ses@{HOST}:587 auth <ses>\nmatch from local for any action "ses"\n'
    said("smtpd", "-n", "-f", file("smtpd.conf", config))
    label, login = text(path).split()
    assert label == "ses", label
    user, password = login.split(":")
    return {"user": user, "password": password}


def systemd_creds(path):
    said("systemd-creds", "encrypt", "--with-key=host", "--name=smtp-password", path, "smtp-password.cred")
    return {"password": said("systemd-creds", "decrypt", "--name=smtp-password", "smtp-password.cred", "-").strip()}


def remotes(path):
    host, _, *options = text(path).split()
    options = dict(option.removeprefix("--").partition("=")[::2] for option in options)
    assert ("ssl" in options) == (options["port"] == "465") != ("starttls" in options), options
    return {"host": host, "port": options["port"], "user": options["user"], "password": options["pass"]}


KEYS = {"host": "smtp_host", "port": "smtp_port", "user": "smtp_username", "password": "smtp_password", "from": "smtp_from"}


def prefixed(prefix, **called):
    return {what: prefix + name for what, name in called.items()}


LARAVEL = prefixed("MAIL_", host="HOST", port="PORT", user="USERNAME", password="PASSWORD") | {"from": "MAIL_FROM_ADDRESS"}
MASTODON = prefixed("SMTP_", host="SERVER", port="PORT", user="LOGIN", password="PASSWORD") | {"from": "SMTP_FROM_ADDRESS"}
N8N = prefixed("N8N_SMTP_", host="HOST", port="PORT", user="USER", password="PASS") | {"from": "N8N_SMTP_SENDER"}
METABASE = prefixed("MB_EMAIL_SMTP_", host="HOST", port="PORT", user="USERNAME", password="PASSWORD") | {"from": "MB_EMAIL_FROM_ADDRESS"}
AUTHENTIK = prefixed("AUTHENTIK_EMAIL__", host="HOST", port="PORT", user="USERNAME", password="PASSWORD") | {
    "from": "AUTHENTIK_EMAIL__FROM"}
SENTRY = prefixed("mail.", host="host", port="port", user="username", password="password") | {"from": "mail.from"}
DISCOURSE = prefixed("DISCOURSE_SMTP_", host="ADDRESS", port="PORT", user="USER_NAME", password="PASSWORD") | {
    "from": "DISCOURSE_NOTIFICATION_EMAIL"}
GITLAB = prefixed("smtp_", host="address", port="port", user="user_name", password="password") | {"from": "gitlab_email_from"}
WORDPRESS = prefixed("WPMS_SMTP_", host="HOST", port="PORT", user="USER", password="PASS") | {"from": "WPMS_MAIL_FROM"}
NEXTCLOUD = prefixed("mail_smtp", host="host", port="port", user="name", password="password") | {"from": "from"}
SPRING = prefixed("spring.mail.", host="host", port="port", user="username", password="password")
GITEA = {"host": "smtp_addr", "port": "smtp_port", "user": "user", "password": "passwd", "from": "from"}
KEYCLOAK = {name: name for name in ("host", "port", "user", "password", "from")}
GRAFANA = {"user": "user", "password": "password", "from": "from_address"}

READERS = {
    "url": [url, node_url, symfony_dsn],
    "password": [lambda path: {"password": text(path).strip()}, systemd_creds],
    "user-name": [lambda path: {"user": text(path).strip()}],
    "yaml": [names(pyyaml, **KEYS), names(ruby_yaml, **KEYS)],
    "toml": [names(toml, **KEYS)],
    "tfvars": [names(terraform, **KEYS)],
    "postfix-unbracketed": [postmap(first_word)],
    "postfix-sender": [postmap(first_word)],
    "exim": [exim],
    "sendmail": [makemap],
    "opensmtpd": [smtpd],
    "nullmailer": [remotes],
    "django": [django_settings],
    "rails": [action_mailer],
    "laravel": [names(phpdotenv, **LARAVEL), names(shell, **LARAVEL)],
    "symfony": [symfony_env],
    "mailer-dsn": [symfony_parameter],
    "spring-boot": [names(properties, **SPRING)],
    "nodemailer": [nodemailer],
    "grafana": [smarthost(ini("smtp"), "host", **GRAFANA)],
    "gitlab": [names(gitlab, **GITLAB)],
    "alertmanager": [amtool],
    "wordpress": [names(wordpress, **WORDPRESS)],
    "nextcloud": [names(nextcloud, **NEXTCLOUD)],
    "keycloak": [names(within(python_json, "smtpServer"), **KEYCLOAK)],
    "mastodon": [names(ruby_dotenv, **MASTODON), names(shell, **MASTODON)],
    "discourse": [names(within(pyyaml, "env"), **DISCOURSE), names(within(ruby_yaml, "env"), **DISCOURSE)],
    "gitea": [names(ini("mailer"), **GITEA)],
    "forgejo": [names(ini("mailer"), **GITEA)],
    "n8n": [names(python_dotenv, **N8N), names(shell, **N8N)],
    "metabase": [names(python_dotenv, **METABASE), names(shell, **METABASE)],
    "sentry": [names(pyyaml, **SENTRY), names(ruby_yaml, **SENTRY)],
    "authentik": [names(python_dotenv, **AUTHENTIK), names(shell, **AUTHENTIK)],
}

# by render.py
JUDGED_ELSEWHERE = ["postfix-sasl", "msmtp", "env", "systemd", "kubernetes", "json", "csv"]


def text(path):
    return pathlib.Path(path).read_text()


def file(path, content):
    path = pathlib.Path(path).absolute()
    path.touch(mode=0o600)
    path.write_text(content)
    return str(path)


def said(*command, **options):
    done = subprocess.run(command, **options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main()
