//! The sources of secrets and files: a file, standard input, the environment, a prompt.

use std::{
    env, fs,
    io::{self, IsTerminal, Read},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use seskey::{
    AccessKeyId, Credential, Secret, SecretAccessKey, SmtpCredential, SmtpPassword,
    access_key::{AccessKeyIdError, SecretAccessKeyError, USUAL_SECRET_LENGTH},
    credential::Found,
    mail_manager::{IngressPassword, IngressPointId, MailManagerCredential},
    pasted::{self, Pasted, PastedError},
    store::Store,
};
use zeroize::Zeroizing;

use crate::{
    args::{Given, Global, SecretSource},
    connect::aws,
    explain::{self, Failure, Result},
    output::Output,
    terminal,
};

/// A secret access key, and its ID if it came with it.
pub(crate) struct AccessKey {
    pub(crate) id: Option<AccessKeyId>,
    pub(crate) secret: SecretAccessKey,
}

/// Reads the secret access key from its first source that has one: an option, stdin, the environment, a prompt.
pub(crate) fn access_key(
    source: &SecretSource,
    global: &Global,
    output: &Output,
) -> Result<AccessKey> {
    if let Some(key) = given_access_key(source, global, true, output)? {
        return Ok(key);
    }
    let (text, from) = match io::stdin().is_terminal() {
        true => (prompt(SECRET_ACCESS_KEY)?, "the prompt"),
        false => (Zeroizing::default(), "stdin"),
    };
    secret(&text, from, output)
}

/// Reads the secret access key from an option, from stdin if that is free for it, or from the environment.
pub(crate) fn given_access_key(
    source: &SecretSource,
    global: &Global,
    stdin_is_free: bool,
    output: &Output,
) -> Result<Option<AccessKey>> {
    let piped = || if stdin_is_free { piped(SECRET_ACCESS_KEY, output) } else { Ok(None) };
    let (key, from) = if let Some(text) = &source.secret_access_key {
        output.warn("a secret on the command line is seen by other users of the machine and kept in the shell's history");
        output.hint("pipe it in, or use --secret-file");
        let from = "--secret-access-key".to_owned();
        (secret(text, &from, output)?, from)
    } else if let Some(path) = &source.secret_file {
        (secret(&read(path)?, &name(path), output)?, name(path))
    } else if let Some(profile) = &global.profile {
        let (id, text) = aws::profile_access_key(profile)?;
        let from = format!("the profile {profile}");
        (AccessKey { id: Some(id), ..secret(text.expose(), &from, output)? }, from)
    } else if let Some(text) = piped()?.filter(|text| !text.trim().is_empty()) {
        (secret(&text, "stdin", output)?, "stdin".to_owned())
    } else if let Some(text) = environment()? {
        (from_environment(&text, output)?, format!("${VARIABLE}"))
    } else {
        return Ok(None);
    };
    let is_other = |text: Zeroizing<String>| text.trim() != key.secret.expose();
    if from != format!("${VARIABLE}") && environment().ok().flatten().is_some_and(is_other) {
        output
            .note(&format!("the secret access key is that from {from}; ${VARIABLE} holds another"));
    } else {
        output.detail(&format!("the secret access key is that from {from}"));
    }
    Ok(Some(key))
}

/// The name of the secret in a note or a prompt.
const SECRET_ACCESS_KEY: &str = "secret access key";

const VARIABLE: &str = "AWS_SECRET_ACCESS_KEY";

/// Reads the secret in the environment, unless it is empty.
fn environment() -> Result<Option<Zeroizing<String>>> {
    match env::var(VARIABLE).map(Zeroizing::new) {
        Ok(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            let error = SecretAccessKeyError::NonAscii { position: 0 };
            Err(explain::input::pasted(&error.into(), &format!("${VARIABLE}")))
        }
    }
}

/// Reads a value to inspect, or an SMTP password: from a file, else stdin, else a prompt.
pub(crate) fn value(path: Option<&Path>, what: &str, output: &Output) -> Result<Secret> {
    let text = match path {
        Some(path) => read(path)?,
        None => match piped(what, output)? {
            Some(text) => text,
            None => prompt(what)?,
        },
    };
    Ok(Secret::new(one_line(&text, "the value", output)?.to_owned()))
}

/// Reads a credential, and the port if its file has one: from a file, else a user name with the password from another
/// file, stdin or a prompt.
pub(crate) fn credential(given: &Given, output: &Output) -> Result<Found> {
    if let Some(path) = &given.credentials {
        let name = name(path);
        let found =
            Found::read(&read(path)?).map_err(|error| explain::input::credential(&error, &name))?;
        return match <[Found; 1]>::try_from(found) {
            Ok([found]) => Ok(found),
            Err(several) => Err(Failure::usage(
                format!("{name} holds {} credentials", several.len()),
                "give a file with the one that is meant",
            )),
        };
    }
    let user_name = given.user_name.as_deref().unwrap_or_default();
    if let Ok(user_name) = IngressPointId::parse(user_name) {
        let value = value(given.password_file.as_deref(), "SMTP password", output)?;
        let password = IngressPassword::parse(value.expose())
            .map_err(|_| explain::input::not_an_ingress_password())?;
        let credential = MailManagerCredential { user_name, password, endpoint: None };
        return Ok(Found { credential: credential.into(), port: None });
    }
    let id = AccessKeyId::parse(user_name)
        .map_err(|error| explain::input::smtp_user_name(&error, user_name))?;
    let value = value(given.password_file.as_deref(), "SMTP password", output)?;
    let password = SmtpPassword::parse(value.expose())
        .map_err(|_| explain::input::smtp_password(value.expose()))?;
    let credential = SmtpCredential { iam_user: None, user_name: id, password, endpoint: None };
    Ok(Found { credential: Credential::Iam(credential), port: None })
}

/// Parses a store for this user.
pub(crate) fn store(text: &str, user: &str) -> Result<Store> {
    let store = text.replace(PLACE, user).parse();
    store.map_err(|error| explain::input::store(&error, text))
}

/// The placeholder for the name of the user in a store.
pub(crate) const PLACE: &str = "{user}";

/// Reads a text file; `-` is stdin.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    text.map(Zeroizing::new).map_err(|error| Failure::file("read", Path::new(&name(path)), &error))
}

/// Returns the name of a file in a message.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Reads all of stdin, unless it is a terminal. If nothing comes at once, a note says what is waited for.
pub(crate) fn piped(what: &str, output: &Output) -> Result<Option<Zeroizing<String>>> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let (done, is_done) = mpsc::channel::<()>();
    let (message, output) = (format!("waiting for the {what} on standard input"), output.clone());
    thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            output.note(&message);
        }
    });
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().read_to_string(&mut text);
    drop(done);
    read.map_err(|error| Failure::file("read", Path::new("stdin"), &error))?;
    Ok(Some(text))
}

/// The time before the note that stdin is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

fn prompt(what: &str) -> Result<Zeroizing<String>> {
    let (first, rest) = what.split_at(1);
    let question = format!("{}{rest}: ", first.to_ascii_uppercase());
    terminal::prompt(&question).map_err(|error| {
        Failure::new(
            format!("cannot ask for it on a terminal: {}", explain::reason(&error)),
            "pipe it in, or use a file",
        )
    })
}

fn from_environment(text: &str, output: &Output) -> Result<AccessKey> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let id = env::var("AWS_ACCESS_KEY_ID").ok().map(|id| AccessKeyId::parse(id.trim()));
    if id == Some(Err(AccessKeyIdError::IngressPoint)) {
        return Err(explain::input::pasted(&PastedError::MailManager, "the environment"));
    }
    if is_set("AWS_SESSION_TOKEN")
        || is_set("AWS_SECURITY_TOKEN")
        || id == Some(Err(AccessKeyIdError::Temporary))
    {
        return Err(explain::input::temporary("the environment"));
    }
    let key = secret(text, &format!("${VARIABLE}"), output)?;
    Ok(AccessKey { id: id.and_then(std::result::Result::ok), ..key })
}

/// Takes the access key out of a text. Notes all that is not as IAM gives it.
fn secret(text: &str, source: &str, output: &Output) -> Result<AccessKey> {
    let Pasted { id, secret, wrapping } =
        pasted::access_key(text).map_err(|error| explain::input::pasted(&error, source))?;
    match wrapping {
        None => drop(without_blanks(text, source, output)),
        Some(wrapping) => output.note(&format!(
            "the secret access key was taken out of {} (from {source})",
            explain::input::wrapping(wrapping)
        )),
    }
    let length = secret.expose().len();
    if length != USUAL_SECRET_LENGTH {
        output.warn(&format!("the secret from {source} has {length} characters, where IAM makes {USUAL_SECRET_LENGTH}"));
        output.hint("check that it was copied whole");
    }
    Ok(AccessKey { id, secret })
}

/// Returns the only line of a text, without the blanks around it.
fn one_line<'a>(text: &'a str, source: &str, output: &Output) -> Result<&'a str> {
    let line = without_blanks(text, source, output);
    if line.contains(['\n', '\r']) {
        return Err(Failure::new(
            format!("{source} has more than one line"),
            "it must hold the secret and nothing else",
        ));
    }
    Ok(line)
}

/// Takes off a byte order mark and surrounding white space; warns if that was more than one line end.
fn without_blanks<'a>(text: &'a str, source: &str, output: &Output) -> &'a str {
    let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = without_mark.trim_matches(|c: char| c.is_whitespace());
    let one_line_end =
        text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if line.len() != one_line_end.len() && !line.contains(['\n', '\r']) {
        output.warn(&format!(
            "blanks, further line ends or a byte order mark around {source} were taken off"
        ));
    }
    line
}
