#!/usr/bin/env python3
"""Random header fields: the local SES accepts those that JavaMail accepts, and refuses the others in JavaMail's words.

SES shows JavaMail's errors, so JavaMail is the judge. The differences between its version and the observed errors of
SES are in `for_javamail` and `expected`, and nowhere else.
"""

import os
import pathlib
import random
import re
import smtplib
import ssl
import subprocess
import sys

import smtp_password

CASES = 5_000
RANDOM = random.Random(822)  # the same fields in every run
JARS = ["/usr/share/java/javax.mail.jar", "/usr/share/java/javax.activation.jar"]
JUDGE = pathlib.Path(__file__).resolve().parent / "HeaderFields.java"

FROM, TO = "news@example.com", "bob@example.org"
LISTS = ["Sender", "Reply-To", "Cc", "Bcc", "Return-Path"]
PIECES_OF_LISTS = [
    "a", "b@example.com", "@", ".", '"', "\\", "<", ">", "(", ")", "[", "]", ",", ";", ":", " ", "a@b.c", "<a@b.c>",
    "Ann ", '"Ann B"', '"a b"@c.d', "a@[192.0.2.1]", "(note)", "group:", "x@y.z, ", "..", "@relay:", "@r1,@r2:x@y.z",
    "-", "_", "!", "=?utf-8?Q?a?=", "/", "com", "Ann <a@b.c>", "\x01", "\x7f", "\u00e9",
]
PIECES_OF_TYPES = [
    "text", "/", "plain", ";", "; ", "charset=", "utf-8", '"a b"', '"', "\\", "(c)", "(", ")", "=", "name", "filename=",
    "a.txt", " ", "?", "=?utf-8?Q?x?=", "inline", "attachment; filename=", "<", "@", ":", ",", "[", "filename*0=a",
    "filename*=utf-8''x", "text/plain; ", "\x01", "\x7f",
]


def main():
    if not all(map(os.path.exists, JARS)):
        print("JavaMail is not installed")
        sys.exit(127)
    fields = [field() for _ in range(CASES)]
    smtp = connect()
    differences, taken = [], 0
    for written, of_javamail in zip(fields, judged(fields)):
        wanted, found = expected(of_javamail), verdict(smtp, written)
        taken += not found
        if wanted != found:
            differences.append(f"{written!r}: {found!r} instead of {wanted!r}")
    smtp.quit()
    print(f"{len(fields)} fields, {taken} of them taken, {len(differences)} differences")
    sys.exit("\n".join(differences[:20]) or 0)


def field():
    name = RANDOM.choice([*LISTS, "Content-Type", "Content-Disposition"])
    pieces = PIECES_OF_LISTS if name in LISTS else PIECES_OF_TYPES
    value = "".join(RANDOM.choices(pieces, k=RANDOM.randint(1, RANDOM.choice([3, 6, 12]))))
    return f"{name}: {value.strip(' ')}"


def judged(fields):
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-classpath", ":".join(JARS), JUDGE]
    done = subprocess.run(command, input="\n".join(map(for_javamail, fields)), check=True, text=True, encoding="utf-8",
                          stdout=subprocess.PIPE)
    return done.stdout.removesuffix("\n").split("\n")


def for_javamail(written):
    """For SES a byte that is not ASCII is a control character, as it was for older versions of JavaMail."""
    return bytes(min(byte, 0x7F) for byte in written.encode()).decode()


def expected(of_javamail):
    # SES has the texts of older versions
    text = re.sub(r"^In (Content-Type string|parameter list) <.*>, e(?=xpected (MIME|'|param))", "E", of_javamail)
    # a reply of SMTP has no control characters
    return "".join(c for c in text if c.isprintable()).strip()


def verdict(smtp, written):
    """What is said against a field; nothing if the message is taken."""
    assert smtp.mail(FROM)[0] == 250 and smtp.rcpt(TO)[0] == 250
    code, reply = smtp.data(f"From: {FROM}\r\n{written}\r\n\r\nhi\r\n".encode())
    text = reply.decode()
    return "" if code == 250 else text.removeprefix("Transaction failed: ")


def connect():
    smtp = smtplib.SMTP("localhost", int(os.environ["STARTTLS_PORT"]))
    smtp.starttls(context=ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"]))
    password = smtp_password.v4(os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"])
    smtp.login(os.environ["AWS_ACCESS_KEY_ID"], password)
    return smtp


if __name__ == "__main__":
    main()
