#!/usr/bin/env python3
"""The completions of bash, zsh and fish after a TAB at a terminal. No name of a profile is run as a command.

    completions.py SHELL
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time

STARTUP = {
    "bash": (["bash", "--norc", "-i"], ". ./script"),
    "zsh": (["zsh", "-f", "-i"], "fpath+=$PWD/functions; autoload -Uz compinit; compinit -u"),
    "fish": (["fish", "--no-config", "--interactive"], "source ./script"),
}
# the text before the TAB, and a text that the terminal shows after it
CASES = [
    ("seskey rotate --re", "seskey rotate --region"),
    ("seskey derive us-gov-e", "us-gov-east-1"),
    ("seskey derive --region=us-gov-e", "--region=us-gov-east-1"),
    ("seskey render postfix-sa", "postfix-sasl"),
    ("seskey list --profile ", "work"),
    ("seskey policy operator --for create,mi", "create,migrate"),
    ("seskey verify --credentials my-cre", "my-credentials.csv"),
    ("seskey delete ses-", "ses-mailer"),
]
# names that run a command if a shell evaluates them
HOSTILE = ["$(touch run)", "`touch run`", "a'b", "|touch run|", "-x"]
SECONDS = 20
QUIET_SECONDS = 1.5


def main():
    shell = sys.argv[1]
    if not shutil.which(shell):
        print(f"{shell} is not installed")
        sys.exit(127)
    home = pathlib.Path.cwd()
    (home / "bin").mkdir()
    (home / "bin/seskey").symlink_to(os.environ["SESKEY"])
    os.environ |= {"PATH": f"{home}/bin:{os.environ['PATH']}", "TERM": "dumb", "SESKEY_COMPLETE_USERS": "1"}
    (home / "functions").mkdir()
    for script in (home / "script", home / "functions/_seskey"):
        script.write_bytes(subprocess.check_output(["seskey", "completions", shell]))
    (home / ".aws").mkdir()
    profiles = ["work", *HOSTILE]
    (home / ".aws/config").write_text("".join(f"[profile {name}]\nregion = us-east-1\n" for name in profiles))
    (home / "my-credentials.csv").touch()
    subprocess.run(["seskey", "create", "ses-mailer", "--no-verify", "--output", "mailer"], check=True)
    for typed, shown in CASES:
        said = press_tab(shell, typed)
        assert shown in said, f"{typed!r} gave {said!r}"
        assert not (home / "run").exists(), typed
    version = subprocess.check_output([shell, "--version"], text=True).splitlines()[0]
    print(f"version {version}")


def press_tab(shell, typed):
    """What the terminal shows after what is typed and a TAB."""
    command, startup = STARTUP[shell]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    os.write(terminal, f"{startup}; echo rea''dy\n".encode())
    started = read(terminal, until=r"^ready\r?$")
    os.write(terminal, f"{typed}\t".encode())
    shown = read(terminal)
    os.write(terminal, b"\x03exit\n")
    read(terminal)
    os.close(terminal)
    os.waitpid(pid, 0)
    assert "ready" in started, started
    return shown


def read(terminal, until=None):
    """What is shown until the pattern is there; without one, until nothing more comes."""
    shown, end = "", time.monotonic() + SECONDS
    while time.monotonic() < end and select.select([terminal], [], [], SECONDS if until else QUIET_SECONDS)[0]:
        try:
            shown += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            break
        if until and re.search(until, plain(shown), re.MULTILINE):
            break
    return plain(shown)


def plain(shown):
    """The text without what moves the cursor and colours it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()>=].?|[\x00-\x08\x0e-\x1f]", "", shown)


if __name__ == "__main__":
    main()
