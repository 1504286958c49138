//! `seskey completions`: a script for the shell, and the candidates that it asks for at each TAB.
//!
//! The name of an option's value decides its candidates: `REGION`, `PROFILE`, `USER`. The shell completes files.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::{Arg, Command, CommandFactory, FromArgMatches, ValueHint};
use clap_complete::{
    Shell,
    engine::{ArgValueCandidates, CompletionCandidate, complete},
};
use seskey::{
    permissions,
    region::{RegionFacts, table},
};
use seskey_aws::profile;

use crate::{
    args::{self, Args, Global},
    cmd::fleet,
    connect::aws,
    exit::Exit,
    explain::Result,
    output::Output,
};

pub(crate) fn run(args: &args::Completions, output: &Output) -> Result<Exit> {
    let text = match args.shell {
        shell if !args.words.is_empty() => candidates(shell, &args.words),
        Shell::Bash => include_str!("completions/seskey.bash").to_owned(),
        Shell::Zsh => include_str!("completions/seskey.zsh").to_owned(),
        Shell::Fish => include_str!("completions/seskey.fish").to_owned(),
        other => {
            let mut text = vec![];
            clap_complete::generate(other, &mut Args::command(), "seskey", &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    };
    output.answer(&text)?;
    Ok(Exit::Done)
}

/// Returns the candidates for the last word, one a line: values if there are any, else options.
fn candidates(shell: Shell, words: &[OsString]) -> String {
    let words = if shell == Shell::Bash { rejoined(words) } else { words.to_vec() };
    let last = words.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let mut command = knowing(Args::command(), &words);
    let found = complete(&mut command, words.clone(), words.len() - 1, None);
    // a line that makes no sense has no candidates
    let mut found = found.unwrap_or_default();
    found.retain(|candidate| candidate.get_value().to_str().is_some_and(is_plain));
    let is_option = |candidate: &CompletionCandidate| {
        candidate.get_value().as_encoded_bytes().starts_with(b"-")
    };
    if !found.iter().all(is_option) && !last.starts_with('-') {
        found.retain(|candidate| !is_option(candidate));
    }
    // bash replaces only the part after the =
    let typed = match last.split_once('=') {
        Some((option, _)) if shell == Shell::Bash => format!("{option}="),
        _ => String::new(),
    };
    found.iter().map(|candidate| line(shell, candidate, &typed)).collect()
}

fn line(shell: Shell, candidate: &CompletionCandidate, typed: &str) -> String {
    let value = candidate.get_value().to_string_lossy();
    let value = value.strip_prefix(typed).unwrap_or(&value);
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.lines().next().unwrap_or_default();
    match shell {
        Shell::Zsh if help.is_empty() => format!("{}\n", value.replace(':', "\\:")),
        Shell::Zsh => format!("{}:{}\n", value.replace(':', "\\:"), help.replace('\\', "\\\\")),
        Shell::Fish => format!("{value}\t{help}\n"),
        _ => format!("{value}\n"),
    }
}

/// Whether every shell takes the value for a plain word: an inserted value is run with its line.
fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_alphanumeric() || "-_./:=@+,".contains(c))
}

/// Joins words that bash has split at the `=` of an option.
fn rejoined(words: &[OsString]) -> Vec<OsString> {
    let mut joined: Vec<OsString> = vec![];
    for word in words {
        match joined.last_mut() {
            Some(last) if is_cut_option(last, word) => last.push(word),
            _ => joined.push(word.clone()),
        }
    }
    joined
}

fn is_cut_option(option: &OsString, word: &OsString) -> bool {
    let option = option.as_encoded_bytes();
    option.starts_with(b"--") && (word == "=" || option.ends_with(b"="))
}

/// Adds the candidates of its values to a command.
fn knowing(command: Command, words: &[OsString]) -> Command {
    let verbs: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let words = words.to_vec();
    everywhere(command, &|arg| {
        let (words, verbs) = (words.clone(), verbs.clone());
        let name = arg.get_value_names().and_then(|names| names.first()).cloned();
        let candidates = match name.as_deref() {
            Some("REGION") => ArgValueCandidates::new(regions),
            Some("PROFILE") => ArgValueCandidates::new(profiles),
            Some("USER") => ArgValueCandidates::new(move || users(&words)),
            Some("VERB") => ArgValueCandidates::new(move || named(verbs.clone())),
            Some("VERBS") => ArgValueCandidates::new(|| named(permissions::VERBS.to_vec())),
            _ if arg.get_value_hint() == ValueHint::AnyPath => {
                return arg.value_hint(ValueHint::Other);
            }
            _ => return arg,
        };
        arg.add(candidates)
    })
}

fn everywhere(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command.mut_args(change).mut_subcommands(|command| everywhere(command, change))
}

/// Returns names as candidates, without names that would be taken for an option.
fn named(names: Vec<impl Into<String>>) -> Vec<CompletionCandidate> {
    let names = names.into_iter().map(Into::into);
    names.filter(|name: &String| !name.starts_with('-')).map(CompletionCandidate::new).collect()
}

fn regions() -> Vec<CompletionCandidate> {
    let candidate = |facts: &RegionFacts| {
        CompletionCandidate::new(facts.region.clone()).help(Some(facts.name.clone().into()))
    };
    table().iter().map(candidate).collect()
}

/// Returns the profiles of the shared configuration files.
fn profiles() -> Vec<CompletionCandidate> {
    named(aws::block_on(profile::names()).unwrap_or_default())
}

/// Returns the users that a seskey.toml declares, for the verbs that go through one; else the users of the account, if
/// $SESKEY_COMPLETE_USERS is set.
fn users(words: &[OsString]) -> Vec<CompletionCandidate> {
    let typed = Args::command().ignore_errors(true).try_get_matches_from(words);
    let Ok(typed) = typed else { return vec![] };
    let file = match typed.subcommand() {
        Some(("plan" | "apply", typed)) => typed.get_one::<PathBuf>("file"),
        _ => None,
    };
    let is_asked = env::var_os(COMPLETE_USERS).is_some_and(|value| !value.is_empty());
    match (file, Global::from_arg_matches(&typed)) {
        (Some(file), _) => named(declared(file)),
        (None, Ok(global)) if is_asked => named(names_in_account(global)),
        _ => vec![],
    }
}

fn declared(file: &Path) -> Vec<String> {
    let fleet = fleet::read(file);
    let credentials = fleet.iter().flat_map(|fleet| &fleet.credentials);
    let names: BTreeSet<_> = credentials.map(|credential| credential.user.to_string()).collect();
    names.into_iter().collect()
}

/// Returns the users of the account, or none if IAM does not answer in time. The thread that asks is not waited for:
/// the look-up of a host name cannot be interrupted.
fn names_in_account(global: Global) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let asked = async { aws::account(&global, None).await.user_names().await };
        // the receiver may be gone
        let _ = sender.send(aws::block_on(asked));
    });
    match receiver.recv_timeout(LONGEST) {
        Ok(Ok(Ok(names))) => names,
        _ => vec![],
    }
}

const COMPLETE_USERS: &str = "SESKEY_COMPLETE_USERS";
/// The longest time that a TAB may take.
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, time::Instant};

    use super::*;

    #[test]
    fn a_word_that_a_shell_would_run_is_no_candidate() {
        for word in [
            "$(id)",
            "`id`",
            "a;id",
            "a|id",
            "a b",
            "a\nid",
            "a\tb",
            "it's",
            "\"",
            "\\",
            "*",
            "~",
            "!1",
            "\u{1b}[2J",
        ] {
            assert!(!is_plain(word), "{word:?}");
        }
        for word in
            ["us-east-1", "ses-smtp-user.20240101-000000", "a+b=c,d@e_f", "--region", "größe"]
        {
            assert!(is_plain(word), "{word:?}");
        }
    }

    #[test]
    fn an_account_that_does_not_answer_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", silent.local_addr().expect("its address"));
        let words = ["seskey", "demo", "--endpoint-url", &url];
        let typed = Args::command().try_get_matches_from(words).expect("they are right");
        let global = Global::from_arg_matches(&typed).expect("they are right");
        let begun = Instant::now();
        assert!(names_in_account(global).is_empty());
        assert!(begun.elapsed() < LONGEST + Duration::from_secs(1), "{:?}", begun.elapsed());
    }

    /// Each kind of value is completed by its name; a new name would have no candidates.
    #[test]
    fn every_kind_of_value_is_completed() {
        let last = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            candidates(Shell::Bash, &words)
        };
        assert!(last(&["seskey", "create", "--region", "eu-"]).contains("eu-west-1\n"));
        assert!(last(&["seskey", "derive", "v2", "eu-"]).contains("eu-west-1\n"));
        assert_eq!(last(&["seskey", "man", "rot"]), "rotate\n");
        assert_eq!(last(&["seskey", "policy", "operator", "--for", "rot"]), "rotate\n");
        assert_eq!(last(&["seskey", "completions", "z"]), "zsh\n");
        assert_eq!(last(&["seskey", "derive", "--algorithm", ""]), "v4\nv2\n");
    }
}
