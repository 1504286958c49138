#!/usr/bin/env python3
"""10,000 random secret access keys in every region: seskey derives the same passwords as the other implementation."""

import csv
import io
import json
import os
import random
import string
import subprocess

import smtp_password

KEYS = 10_000
KEYS_ONE_BY_ONE = 20
RANDOM = random.Random(20190110)  # the same keys in every run

# Source: AWS General Reference, "Amazon Simple Email Service endpoints and quotas"
REGIONS = """
    us-east-2 us-east-1 us-west-1 us-west-2 ap-south-1 ap-northeast-3 ap-northeast-2 ap-southeast-1 ap-southeast-2
    ap-northeast-1 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 sa-east-1
    us-gov-east-1 us-gov-west-1
""".split()

# Published with the tests of AWS SDK for PHP: the oracle is judged too.
DOCUMENTED_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PUBLISHED_V4_US_EAST_2 = "BMPPgbAHoFVbze1Ud0oA5uNdXRwUXUZ+qOwphGJbl/cS"
PUBLISHED_V2 = "An60U4ZD3sd4fg+FvXUjayOipTt8LO4rUUmhpdX6ctDy"


def main():
    assert smtp_password.v4(DOCUMENTED_KEY, "us-east-2") == PUBLISHED_V4_US_EAST_2
    assert smtp_password.v2(DOCUMENTED_KEY) == PUBLISHED_V2

    keys = [(random_text("AKIA", 16, string.ascii_uppercase + "234567"),
             random_text("", 40, string.ascii_letters + string.digits + "+/")) for _ in range(KEYS)]
    compare(batch((*key, region) for key in keys for region in REGIONS), lambda row: smtp_password.v4(row[1], row[2]))
    compare(batch(((*key, "") for key in keys), "--algorithm", "v2"), lambda row: smtp_password.v2(row[1]))
    for _, secret in keys[:KEYS_ONE_BY_ONE]:
        compare_all_regions(secret)
    print(f"{KEYS} keys, {len(REGIONS)} regions")


def random_text(prefix, length, alphabet):
    return prefix + "".join(RANDOM.choices(alphabet, k=length))


def batch(rows, *options):
    """Pairs of what was asked and what was answered."""
    rows = list(rows)
    question = io.StringIO()
    csv.writer(question).writerows([("access_key_id", "secret_access_key", "region"), *rows])
    header, *answers = csv.reader(io.StringIO(seskey("--batch", "-", *options, stdin=question.getvalue())))
    assert header == ["access_key_id", "secret_access_key", "region", "smtp_password"], header
    assert len(answers) == len(rows), f"{len(answers)} answers to {len(rows)} rows"
    return zip(rows, answers)


def compare(pairs, expected_password):
    for row, answer in pairs:
        assert answer == [*row, expected_password(row)], f"{row} became {answer}"


def compare_all_regions(secret):
    answer = json.loads(seskey("--all-regions", "--json", stdin=secret))
    passwords = {credential["region"]: credential["smtp_password"] for credential in answer["credentials"]}
    assert passwords == {region: smtp_password.v4(secret, region) for region in REGIONS}, passwords
    assert {credential["algorithm"] for credential in answer["credentials"]} == {"v4"}, answer


def seskey(*options, stdin):
    command = [os.environ["SESKEY"], "derive", *options]
    # the root key of the local SES would be taken before stdin
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(command, input=stdin, env=environment, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


if __name__ == "__main__":
    main()
