//! The errors of the command-line parser, in sentences.

use clap::{
    Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Failure;
use crate::guide::{self, Guide};

/// Explains what is wrong with the command line, and what may be meant.
pub(crate) fn failure(error: &Error, typed: &[String]) -> Failure {
    let rendered = error.render().to_string();
    let message = rendered.strip_prefix("error: ").unwrap_or(&rendered);
    let (message, rest) = message.split_once("\n\n").unwrap_or((message, ""));
    if let (ErrorKind::ArgumentConflict, Some(option)) =
        (error.kind(), of_environment(error, typed))
    {
        return Failure::usage(
            format!("{option} cannot be used with ${SMTP_ENDPOINT}, which is set"),
            format!("unset {SMTP_ENDPOINT}, or say all of it by --smtp-endpoint HOST:PORT"),
        );
    }
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command is given".to_owned(),
        _ => message.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let similar = |line: &str| {
        line.trim().strip_prefix("tip: ").filter(|tip| tip.contains("similar")).map(str::to_owned)
    };
    let hint = meant(error, typed).or_else(|| rest.lines().find_map(similar));
    let failure = Failure::usage(message, hint.unwrap_or_else(|| usual(error, typed)));
    // the names of its values follow the argument
    let given = text(error, ContextKind::InvalidArg);
    match given.as_deref().and_then(|given| given.split(' ').next()) {
        Some(option) => failure.about(option),
        None => failure,
    }
}

/// Says how the typed command is used: by an example that has the missing options, if there is one.
fn usual(error: &Error, typed: &[String]) -> String {
    let Some(Guide { command, examples, .. }) = guide::of_typed(typed) else {
        return "seskey --help lists the commands, seskey COMMAND --help their options".to_owned();
    };
    let missing = match error.kind() {
        ErrorKind::MissingRequiredArgument => texts(error, ContextKind::InvalidArg),
        _ => return format!("seskey {command} --help lists its options"),
    };
    let options = || missing.iter().filter_map(|text| text.split(' ').next());
    let has = |example: &str| {
        options().filter(|option| option.starts_with('-')).all(|option| example.contains(option))
    };
    match examples.iter().find(|(example, _)| has(example)) {
        Some((example, _)) => format!("such as {example}; seskey {command} --help has more"),
        None => format!("seskey {command} --help lists its options"),
    }
}

/// Returns a hint, if the meaning is certain.
fn meant(error: &Error, typed: &[String]) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            let (_, verb) = OTHER_WORDS.iter().find(|(other, _)| *other == word)?;
            Some(format!("it is called seskey {verb}"))
        }
        ErrorKind::UnknownArgument if typed.iter().any(|word| word == "local") => {
            let word =
                text(error, ContextKind::InvalidArg).filter(|word| !word.starts_with('-'))?;
            let (before, command) = typed.split_at(typed.iter().position(|typed| *typed == word)?);
            Some(format!(
                "a command stands behind --: seskey {} -- {}",
                before.join(" "),
                command.join(" ")
            ))
        }
        ErrorKind::UnknownArgument => {
            let word =
                text(error, ContextKind::InvalidArg).filter(|word| !word.starts_with('-'))?;
            match guide::of_typed(typed)?.command {
                "verify" | "render" => Some(format!("a file with the credential is given by --credentials {word}")),
                "inspect" => Some("pipe the string in, or give --value-file: the command line is seen by other users".to_owned()),
                _ => None,
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(error, ContextKind::InvalidArg);
            missing.iter().any(|option| option.contains("user-name <")).then(|| {
                "--credentials FILE takes all of it from a file, such as what seskey create wrote".to_owned()
            })
        }
        ErrorKind::ValueValidation if text(error, ContextKind::InvalidArg)?.ends_with("<TIME>") => {
            let value = text(error, ContextKind::InvalidValue)?;
            Some(match value.parse::<u32>() {
                Ok(number) => {
                    format!("with its unit: {number}d, {number}h, {number}m or {number}s")
                }
                Err(_) => "such as 90d, 12h or 1d 12h".to_owned(),
            })
        }
        _ => None,
    }
}

/// The names that other programs have for a verb.
const OTHER_WORDS: [(&str, &str); 9] = [
    ("add", "create"),
    ("check", "verify"),
    ("generate", "derive"),
    ("ls", "list"),
    ("login", "verify"),
    ("new", "create"),
    ("remove", "delete"),
    ("rm", "delete"),
    ("test", "verify"),
];

const SMTP_ENDPOINT: &str = "SESKEY_SMTP_ENDPOINT";

/// Returns the option that conflicts with an SMTP endpoint, if the endpoint was not typed.
fn of_environment(error: &Error, typed: &[String]) -> Option<String> {
    let is_typed = typed.iter().any(|word| word.starts_with("--smtp-endpoint"));
    let both = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| texts(error, kind));
    let mut both = both.concat();
    let endpoint = both.iter().position(|option| option.starts_with("--smtp-endpoint"))?;
    both.remove(endpoint);
    both.into_iter().next().filter(|_| !is_typed)
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    texts(error, kind).into_iter().next()
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => vec![],
    }
}
