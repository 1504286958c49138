//! Working examples of each command: they begin its `--help`, and are in its manual page.

use std::{cmp::Reverse, ffi::OsString, fmt::Write, path::Path};

use clap::{Command, CommandFactory, FromArgMatches};

use crate::args::Args;

/// The examples and the related commands of a command.
pub(crate) struct Guide {
    pub(crate) command: &'static str,
    /// Command lines, each with its purpose.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    /// The commands that a reader of this page may be looking for.
    pub(crate) see_also: &'static [&'static str],
}

/// Parses the arguments of this process.
///
/// # Errors
/// When they are wrong, or ask for help or the version.
pub(crate) fn parse() -> Result<Args, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(words(std::env::args_os().collect()));
    matches
        .and_then(|matches| Args::from_arg_matches(&matches))
        .map_err(|error| error.format(&mut command))
}

/// Adds the verb `lambda` to a program that is called `bootstrap`, which Lambda starts with no argument. Source: AWS
/// Lambda Developer Guide, "When to use Lambda's OS-only runtimes".
fn words(mut typed: Vec<OsString>) -> Vec<OsString> {
    let name = typed.first().and_then(|program| Path::new(program).file_name());
    if typed.len() == 1 && name.is_some_and(|name| name == "bootstrap") {
        typed.push("lambda".into());
    }
    typed
}

/// Returns the guide of a command, such as `policy check`; seskey itself is the empty command.
pub(crate) fn guide(command: &str) -> &'static Guide {
    GUIDES.iter().find(|guide| guide.command == command).expect("a test finds one for each command")
}

/// Returns the guide of the first command in these words, such as `policy check`.
pub(crate) fn of_typed(typed: &[String]) -> Option<&'static Guide> {
    let place = |guide: &'static Guide| {
        let words: Vec<&str> = guide.command.split(' ').collect();
        let at = typed.windows(words.len()).position(|typed| typed == words)?;
        // a subcommand rather than its command
        Some((at, Reverse(words.len()), guide))
    };
    let (.., guide) =
        GUIDES.iter().filter_map(place).min_by_key(|(at, length, _)| (*at, *length))?;
    Some(guide)
}

fn command() -> Command {
    with_examples(Args::command(), "")
}

/// Adds the examples to the long help of a command, after the line that says what it does.
fn with_examples(command: Command, path: &str) -> Command {
    let heading = *command.get_styles().get_header();
    let about = command.get_about().cloned().unwrap_or_default().to_string();
    let long_about = command.get_long_about().map(ToString::to_string);
    let details = long_about.as_deref().and_then(|text| text.split_once("\n\n"));
    let mut help = format!("{about}\n\n{heading}Examples:{heading:#}\n");
    for (line, what) in guide(path).examples {
        write!(help, "  {line}\n      {what}\n").expect("a string takes all");
    }
    if let Some((_, details)) = details {
        write!(help, "\n{details}").expect("a string takes all");
    }
    command.long_about(help.trim_end().to_owned()).mut_subcommands(|command| {
        let path = format!("{path} {}", command.get_name());
        with_examples(command, path.trim_start())
    })
}

const fn row(
    command: &'static str,
    examples: &'static [(&'static str, &'static str)],
    see_also: &'static [&'static str],
) -> Guide {
    Guide { command, examples, see_also }
}

#[rustfmt::skip]
const GUIDES: &[Guide] = &[
    row("", &[
        ("seskey demo", "See the whole life of a credential, without an AWS account"),
        ("seskey create my-app --region eu-west-1 --output my-app.csv", "Make a credential, and prove it"),
        ("seskey local -- npm test", "Run tests inside a local SES"),
    ], &[]),
    row("derive", &[
        ("seskey derive us-east-1 --secret-file secret.txt", "Print the password for one region"),
        ("seskey derive --all-regions --profile smtp --json", "Print the passwords of one key for every region"),
        ("seskey derive --batch accessKeys.csv --region us-east-1 >passwords.csv", "Do it for many keys"),
    ], &["inspect", "verify", "regions"]),
    row("inspect", &[
        ("seskey inspect", "Ask for a string, and say what it is"),
        ("seskey inspect --value-file password.txt --secret-file secret.txt",
         "Say for which region that password is, or what went wrong when it was made"),
    ], &["derive", "verify"]),
    row("regions", &[
        ("seskey regions", "Print a table"),
        ("seskey regions --json", "Print all names of the endpoints too"),
    ], &["derive"]),
    row("policy", &[
        ("seskey policy --from '*@example.com' --region eu-west-1", "Print a policy for the addresses of one domain"),
        ("seskey policy --identity example.com --source-ip 192.0.2.0/24", "Print one for an identity, from one network"),
    ], &["create"]),
    row("policy check", &[
        ("seskey policy check policy.json --from shop@example.com --to ann@example.net",
         "Say whether it allows that message, and by which statement"),
        ("seskey policy check policy.json --from shop@example.com --exit-code", "Fail where it does not"),
        ("seskey policy check --user app --from shop@example.com", "Say it of all policies of a user"),
    ], &["verify"]),
    row("policy operator", &[
        ("seskey policy operator --for create,rotate", "Print what those who create and rotate need"),
    ], &["create", "rotate"]),
    row("render", &[
        ("seskey render postfix-sasl --credentials my-app.csv --region eu-west-1", "Print a line of sasl_passwd"),
        ("seskey render django --credentials my-app.env --from shop@example.com", "Print settings of Django"),
        ("seskey render kubernetes --credentials my-app.env | kubectl apply -f -", "Make a secret of Kubernetes"),
    ], &["create", "rotate"]),
    row("create", &[
        ("seskey create my-app --region eu-west-1 --output my-app.csv", "Make one, and its file as the SES console does"),
        ("seskey create shop --from shop@example.com --for symfony",
         "Make one for one sender, with the lines to paste into the application"),
        ("seskey create my-app --to secretsmanager:prod/smtp", "Put it into a store, and onto no screen"),
    ], &["verify", "render", "rotate", "delete", "policy"]),
    row("list", &[
        ("seskey list --sort last-used", "List those first that were used the longest ago"),
        ("seskey list --filter 'age>90d' --json", "List the keys that are older than 90 days, as JSON"),
        ("seskey list --file seskey.toml", "List all accounts of a seskey.toml"),
    ], &["audit", "rotate", "delete"]),
    row("audit", &[
        ("seskey audit", "Print what is wrong, with the commands that mend it"),
        ("seskey audit --file seskey.toml --format html >audit.html", "Judge all accounts of it, on a page"),
        ("seskey audit --explain IAM.22 --user my-app", "Say what would break if the key went that a tool calls unused"),
    ], &["list", "rotate", "migrate", "diagnose"]),
    row("verify", &[
        ("seskey verify --credentials my-app.csv --region eu-west-1", "Log in"),
        ("seskey verify --user-name AKIAIOSFODNN7EXAMPLE --region us-east-1", "Ask for the password, and log in"),
        ("seskey verify --credentials my-app.env --from shop@example.com --send",
         "Ask IAM too, and send to the mailbox simulator"),
    ], &["diagnose", "inspect", "create"]),
    row("diagnose", &[
        ("seskey diagnose --file my-app.env", "Say why it does not log in"),
        ("seskey diagnose --error '535 Authentication Credentials Invalid'", "Say what an error may mean"),
        ("seskey diagnose --file my-app.env --from shop@example.com --json",
         "Ask IAM too whether it may send, and answer in JSON"),
    ], &["verify", "inspect", "list"]),
    row("rotate", &[
        ("seskey rotate app --to file:/etc/postfix/sasl_passwd --dry-run", "Say what would be done"),
        ("seskey rotate app --to file:.env --after 'systemctl reload app' --quiet",
         "Do what is due, from cron: it says nothing while nothing is wrong"),
        ("seskey rotate app --undo", "Activate the old key again"),
    ], &["apply", "revoke", "verify", "list"]),
    row("plan", &[
        ("seskey plan", "Print a table of what is due"),
        ("seskey plan app", "Print each step of one user, with its policy"),
        ("seskey plan --file fleet.toml --exit-code", "End with 4 where there is anything to do"),
    ], &["apply"]),
    row("apply", &[
        ("seskey apply --quiet --metrics seskey.prom", "Do what is due, from cron: it says nothing while nothing is wrong, and tells Prometheus of deadlines"),
        ("seskey apply app --file fleet.toml", "Do it for one user of another file"),
        ("seskey apply --log-json seskey.log --notify exec:./tell-us", "Record each step, and tell of each user"),
    ], &["plan", "rotate", "list"]),
    row("revoke", &[
        ("seskey revoke app", "Deactivate every key of it at once"),
        ("seskey revoke app --replace --to file:/etc/postfix/sasl_passwd", "Do it, and deliver a new credential"),
    ], &["rotate", "delete"]),
    row("delete", &[
        ("seskey delete my-app --dry-run", "Say what would be deleted"),
        ("seskey delete my-app --yes", "Delete it without a question"),
    ], &["revoke", "list"]),
    row("migrate", &[
        ("seskey migrate my-app --dry-run", "Say what would be done"),
        ("seskey migrate my-app", "Move it"),
    ], &["create", "policy"]),
    row("local", &[
        ("seskey local", "Serve until Ctrl-C, and print what to paste into another terminal"),
        ("seskey local -- npm test", "Run tests inside a local SES"),
        ("seskey local --data ./ses --identity example.com --sandbox",
         "Keep everything in a directory, with the limits of a new account"),
    ], &["demo", "create", "console"]),
    row("console", &[
        ("seskey console", "Serve the pages on this machine, and print where they are"),
        ("seskey console --listen [::1]:8080 --region eu-west-1", "Serve them at a port of your choice"),
    ], &["create", "list", "local"]),
    row("lambda", &[
        ("seskey lambda", "Serve the events of the function that Lambda has started it for"),
    ], &["rotate", "apply"]),
    row("demo", &[
        ("seskey demo", "Create, prove, rotate, delete, without an AWS account"),
    ], &["local"]),
    row("completions", &[
        ("seskey completions bash >~/.local/share/bash-completion/completions/seskey", "Install them for bash, if it has bash-completion"),
        ("seskey completions zsh >~/.zfunc/_seskey", "Install them for zsh, if ~/.zfunc is in its fpath"),
        ("seskey completions fish >~/.config/fish/completions/seskey.fish", "Install them for fish"),
    ], &[]),
    row("man", &[
        ("seskey man rotate | man -l -", "Read the page of a command"),
        ("seskey man --dir ~/.local/share/man/man1", "Install all pages, for man seskey-rotate"),
    ], &[]),
];

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    /// Returns all commands as they are typed, such as `policy check`.
    fn paths(command: &Command, path: &str) -> Vec<String> {
        let below = command.get_subcommands().flat_map(|command| {
            paths(command, format!("{path} {}", command.get_name()).trim_start())
        });
        [path.to_owned()].into_iter().chain(below).collect()
    }

    #[test]
    fn every_command_has_a_guide() {
        let mut paths = paths(&Args::command(), "");
        let mut guided: Vec<_> = GUIDES.iter().map(|guide| guide.command).collect();
        paths.sort();
        guided.sort_unstable();
        assert_eq!(paths, guided);
        for guide in GUIDES {
            assert!((1..=3).contains(&guide.examples.len()), "{}", guide.command);
            assert!(guide.see_also.iter().all(|other| guided.contains(other)), "{}", guide.command);
        }
    }

    /// A shell splits each example into words, and the parser takes those of seskey.
    #[test]
    fn every_example_is_a_command_line() {
        for guide in GUIDES {
            for (line, _) in guide.examples {
                let words = words_of_seskey(line);
                let matches =
                    command().try_get_matches_from(["seskey".to_owned()].iter().chain(&words));
                let args = matches.and_then(|matches| Args::from_arg_matches(&matches));
                assert!(args.is_ok(), "{line}: {args:?}");
                let is_of_it = words.join(" ").starts_with(guide.command);
                assert!(is_of_it, "{line} is no example of {:?}", guide.command);
                assert!(line.len() + 2 <= 80, "{line} does not stand on one line");
            }
        }
    }

    /// The commands in a remedy of diagnose can be pasted. They end at a semicolon, a comma or a colon.
    #[test]
    fn every_remedy_is_a_command_line() {
        let places = [
            ("{REGION}", "us-east-1"),
            ("{ACCESS_KEY_ID}", "AKIAI44QH8DHBABCDEFG"),
            ("{SENDER}", "--from news@example.com"),
            ("{FROM}", "news@example.com"),
            ("{RECIPIENT}", "ann@example.net"),
            ("{USER}", "app"),
            ("STORE", "file:.env"),
            ("TARGET", "env"),
        ];
        let filled = |text: &str| {
            places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
        };
        let mut commands = 0;
        for cause in seskey::diagnose::causes() {
            let parts = cause.remedy.split([';', ':', ',']).filter(|part| part.contains("seskey"));
            for part in parts.map(|part| filled(part.trim().trim_start_matches("or "))) {
                let words = words_of_seskey(&part);
                let matches =
                    command().try_get_matches_from(["seskey".to_owned()].iter().chain(&words));
                let args = matches.and_then(|matches| Args::from_arg_matches(&matches));
                let is_command = part.starts_with("seskey ") && args.is_ok();
                assert!(is_command, "{}: {part}: {args:?}", cause.id);
                commands += 1;
            }
        }
        assert!(commands > 20, "{commands}");
    }

    fn words_of_seskey(line: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        // descriptor 3 bypasses the redirections of the example
        let script = format!(
            "exec 3>&1; seskey() {{ printf '%s\\0' \"$@\" >&3; }}; {{ {line}\n}} >out 2>&1 || :"
        );
        let home = folder.path().join("home");
        for folder in
            [".zfunc", ".config/fish/completions", ".local/share/bash-completion/completions"]
        {
            std::fs::create_dir_all(home.join(folder)).expect("a folder in it");
        }
        let mut command = process::Command::new("sh");
        command
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("HOME", home)
            .stdin(process::Stdio::null());
        let printed = command.output().expect("there is a shell").stdout;
        let words = String::from_utf8(printed).expect("the words are text");
        words.split_terminator('\0').map(str::to_owned).collect()
    }

    /// The examples come first in the long help, and are not in `-h`.
    #[test]
    fn examples_are_first_in_the_long_help_alone() {
        fn check(command: &mut Command) {
            let (short, long) =
                (command.render_help().to_string(), command.render_long_help().to_string());
            let place =
                |text: &str| long.find(text).unwrap_or_else(|| panic!("{text} is not in:\n{long}"));
            assert!(place("\nExamples:\n") < place("\nUsage:"), "{long}");
            assert!(!short.contains("Examples:"), "{short}");
            let global = long.split("\nGlobal options:\n").nth(1).expect("a heading");
            assert!(
                !global.lines().any(|line| line.ends_with(':') && !line.starts_with(' ')),
                "{long}"
            );
            command
                .get_subcommands_mut()
                .filter(|command| command.get_name() != "help")
                .for_each(check);
        }
        let mut command = command();
        command.build();
        check(&mut command);
    }
}
