#!/usr/bin/env python3
"""The files of `seskey render`, judged by the programs that read them: each reads the credential, reads the entries of
others as before, and msmtp logs in.

systemd's reader is that of environment.d(5), which needs no running systemd. It reads files by the same code as
EnvironmentFile= and expands variables, too.
"""

import base64
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

try:
    import dotenv
    import yaml
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

SYSTEMD = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
for program in "postmap", "msmtp", SYSTEMD:
    if not shutil.which(program):
        print(f"{program} is not installed")
        sys.exit(127)

USER_NAME = "AKIAIOSFODNN7EXAMPLE"
PASSWORDS = ["BP" + "/+" * 21, "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd"]
HOSTS = ["email-smtp.us-east-1.amazonaws.com", "LOCALHOST", "127.0.0.1", "::1"]
PORT = 587

# The entries of others, with older credentials of ours between them.
MAPS = [
    "",
    "# relays\n\n[relay.example]:25 a:b\n",
    "[relay.example]:25\n  # of two lines\n\ta:b=c d\n[::1]:587\n  old:\n\tpassword\n\"[a b]:1\" c:d\n\"[::1]:587\" e:f\n[localhost]:587 old:old\n",
    "[relay.example]:25 a:b",
]
ENVIRONMENTS = [
    "",
    "# it's mail\nA=1\n\n",
    "A='a text\nSMTP_PASSWORD=in a text\n'\nexport SMTP_PASSWORD=\"old\" # it's\nB=\"it's \\\"b\\\"\"\nSMTP_USERNAME=old\n",
    "SMTP_PASSWORD=old\nSMTP_HOST=\nSMTP_PASSWORD='older'\nC=x#y",
]
SYSTEMD_ENVIRONMENTS = [
    "",
    "# it's mail\n; A=\"\nA=it's 1 # and so on\n",
    "A='a text\nSMTP_PASSWORD=in a text\n' \"b\"\nSMTP_PASSWORD=\"old\"\nB=a\\\nSMTP_PORT=1\nnothing\nSMTP_USERNAME=old old",
    "SMTP_PASSWORD=old\nSMTP_HOST=\nSMTP_PASSWORD='older'\nA=\"\\\"\\\\\"",
]


def main():
    for host, password in zip(HOSTS, PASSWORDS * 2):
        for before in MAPS:
            beside("postfix-sasl", before, postfix, {f"[{host.lower()}]:{PORT}": f"{USER_NAME}:{password}"}, host, password)
        variables = {"SMTP_HOST": host, "SMTP_PORT": str(PORT), "SMTP_USERNAME": USER_NAME, "SMTP_PASSWORD": password}
        for before in ENVIRONMENTS:
            beside("env", before, shell, variables, host, password)
            beside("env", before, dotenv_values, variables, host, password)
        for before in SYSTEMD_ENVIRONMENTS:
            beside("systemd", before, systemd, variables, host, password)
        is_secret(render("kubernetes", host, password, "--name", "on", "--namespace", "0x1"), variables)
        is_object(render("json", host, password, keep='{"user": "\\u00e9", "n": 1e400}'), host, password)
        [row] = csv.DictReader(io.StringIO(render("csv", host, password)))
        assert (row["SMTP user name"], row["SMTP password"]) == (USER_NAME, password), row
    msmtp_logs_in()


def render(target, host, password, *options, keep=None):
    login = {"smtp_user_name": USER_NAME, "smtp_password": password}
    pathlib.Path("credential.json").write_text(json.dumps(login))
    if keep is not None:
        pathlib.Path("before").write_text(keep)
        options += ("--keep", "before")
    command = [os.environ["SESKEY"], "render", target, "--credentials", "credential.json", "--host", host, "--port", str(PORT)]
    return subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE, text=True).stdout


def beside(target, before, read, ours, host, password):
    """The reader finds our entries in the file, and beside them what it found there before."""
    after = render(target, host, password, keep=before)
    found, expected = read(after), read(before) | ours
    assert found == expected, f"{target}, by {read.__name__}, of\n{before}\nis\n{after}\n{found}, not {expected}"
    assert render(target, host, password, keep=after) == after, after


def postfix(text):
    file("postfix/main.cf", "compatibility_level = 3.6\n")
    table = "texthash:" + file("postfix/sasl_passwd", text)
    listed = said("postmap", "-c", "postfix", "-s", table).splitlines()
    entries = dict(line.split("\t", 1) for line in listed)
    for key, value in entries.items():
        assert said("postmap", "-c", "postfix", "-q", key, table) == value + "\n"
    return entries


def shell(text):
    """The variables that a shell exports, without its own."""
    script = "set -a; . " + file("shell.env", text) + "; exec env -0"
    variables = dict(entry.split("=", 1) for entry in said("sh", "-c", script, env={"PATH": os.environ["PATH"]}).split("\0") if entry)
    return {name: value for name, value in variables.items() if name not in ("PATH", "PWD", "OLDPWD", "SHLVL", "_")}


def dotenv_values(text):
    return dict(dotenv.dotenv_values(file("dot.env", text), interpolate=False))


def systemd(text):
    file("environment.d/render.conf", text)
    # values with marks of a shell are shown in quotation marks
    listed = said(SYSTEMD, env={"XDG_CONFIG_HOME": os.getcwd()}, stderr=subprocess.DEVNULL).splitlines()
    return dict(line.split("=", 1) for line in listed)


def is_secret(text, variables):
    secret = yaml.safe_load(text)
    assert secret["metadata"]["name"] == "on" and secret["metadata"]["namespace"] == "0x1", secret
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == variables, secret
    if shutil.which("kubectl"):
        file("secret.yaml", text)
        labelled = said("kubectl", "label", "--local", "--filename=secret.yaml", "--output=json", "a=b")
        assert json.loads(labelled)["data"] == secret["data"], labelled


def is_object(text, host, password):
    expected = {"smtp_endpoint": host, "smtp_port": PORT, "smtp_user_name": USER_NAME, "smtp_password": password}
    found = json.loads(text)
    assert found == expected | {"user": "é", "n": float("inf")}, found
    assert text.startswith('{"user": "\\u00e9", "n": 1e400,'), text


def msmtp_logs_in():
    """A message goes out by an account that was put beside others, into which its owner had written as well."""
    made = said(os.environ["SESKEY"], "create", "news", "--format", "json", "--quiet")
    file("credential.json", made)
    authority = os.environ["SESKEY_CA_FILE"]
    for port, starttls in (os.environ["STARTTLS_PORT"], True), (os.environ["TLS_WRAPPER_PORT"], False):
        file("before", f"# mail\ndefaults\nlogfile ./msmtp.log\naccount other\nhost other.example\n\naccount ses\n"
                       f"tls_trust_file {authority}\npasswordeval false\n\naccount default : other\n")
        text = said(os.environ["SESKEY"], "render", "msmtp", "--credentials", "credential.json", "--host", "localhost",
                    "--port", port, "--from", "news@example.com", "--keep", "before")
        # seskey knows the kind of TLS only by the ports of SES
        text = text if starttls else text.replace("tls_starttls on", "tls_starttls off")
        os.chmod(file("msmtprc", text), 0o600)
        said("msmtp", "--file=msmtprc", "--account=ses", "bob@example.org", input="Subject: A peer\n\nText\n")
        assert "host = other.example" in said("msmtp", "--file=msmtprc", "--pretend", "bob@example.org", input="\n")
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_aws/ses") as answer:
        sent = [message["Source"] for message in json.load(answer)["messages"]]
    assert sent == ["news@example.com"] * 2, sent
    said("msmtp", "--file=" + file("msmtprc", render("msmtp", "email-smtp.eu-west-1.amazonaws.com", PASSWORDS[0])),
         "--account=ses", "--from=a@example.com", "--pretend", "bob@example.org", input="\n")


def file(path, text):
    path = pathlib.Path(path).absolute()
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, newline="")
    return str(path)


def said(*command, env=None, input=None, stderr=subprocess.STDOUT):
    done = subprocess.run(command, env=env, input=input, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}"
    return done.stdout


if __name__ == "__main__":
    main()
