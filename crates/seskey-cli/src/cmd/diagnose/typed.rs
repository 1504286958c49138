//! The values that the user has: from options first, then the file, then stdin.

use std::path::Path;

use jiff::{Span, Timestamp, tz::TimeZone};
use seskey::{
    Region, Secret, SecretAccessKey,
    diagnose::{Evidence, FileValues, Said, TlsMode, Values, WrittenPlace},
};

use crate::{
    args::{Diagnose, Global},
    connect::aws,
    explain::{self, Failure, Result},
    input,
    output::Output,
};

/// The values that the user has. They are not checked: their faults are to be found.
pub(super) struct Typed {
    pub(super) user_name: Option<Secret>,
    pub(super) password: Option<Secret>,
    secret: Option<SecretAccessKey>,
    pub(super) host: Option<String>,
    port: Option<u16>,
    place: WrittenPlace,
    tls_mode: Option<TlsMode>,
    is_of_postfix: bool,
    region: Option<Region>,
    from: Option<String>,
    to: Option<String>,
    pub(super) said: Option<Said>,
}

impl Typed {
    pub(super) fn gather(args: &Diagnose, global: &Global, output: &Output) -> Result<Self> {
        let is_stdin = |path: &Option<_>| path.as_deref() == Some(Path::new("-"));
        let files = [&args.file, &args.password_file, &args.secret_file].map(is_stdin);
        let is_log = args.error.as_deref() == Some("-");
        if files.into_iter().chain([is_log]).filter(|taken| *taken).count() > 1 {
            return Err(Failure::usage("stdin can be only one of the files", "name the others"));
        }
        let file = match &args.file {
            Some(path) => FileValues::read(&input::read(path)?),
            None => FileValues::default(),
        };
        if let (true, Some(path)) = (file.is_empty(), &args.file) {
            output.warn(&format!(
                "no user name, password or host was found in {}",
                input::name(path)
            ));
        }
        let password = match &args.password_file {
            Some(path) => Some(without_line_end(&input::read(path)?)),
            None => file.password,
        };
        let secret = match &args.secret_file {
            Some(path) => Some(secret(path)?),
            // a secret in the file that is no secret access key is for something else
            None => file.secret.and_then(|secret| SecretAccessKey::parse(secret.expose()).ok()),
        };
        // stdin may stay open for ever: it is read only if it is named, or if there is nothing else
        let has_values = args.file.is_some()
            || args.password_file.is_some()
            || args.user_name.is_some()
            || args.host.is_some();
        let text = match args.error.as_deref() {
            Some("-") => Some(input::read(Path::new("-"))?.to_string()),
            Some(text) => Some(text.to_owned()),
            None if has_values => None,
            None => input::piped("error text", output)?.map(|text| text.to_string()),
        };
        let said = text.as_deref().and_then(Said::read);
        if said.is_none() && text.is_some_and(|text| !text.trim().is_empty()) {
            output.warn("nothing in the error text is known");
        }
        let typed = Self {
            user_name: args.user_name.clone().map(Secret::new).or(file.user_name),
            password,
            secret,
            host: args.host.clone().or(file.host),
            port: args.port.or(file.port),
            // a typed value replaces one that is misplaced in the file
            place: WrittenPlace {
                port_in_host: file.place.port_in_host && args.host.is_none(),
                port_is_none: file.place.port_is_none && args.port.is_none(),
            },
            tls_mode: file.tls_mode,
            is_of_postfix: file.is_of_postfix,
            region: None,
            from: args.from.clone(),
            to: args.to.clone(),
            said,
        };
        let region = typed.region(global)?;
        if typed.is_empty() {
            return Err(Failure::usage(
                "there is nothing to diagnose",
                "give the file that the application reads by --file, or what it said by --error",
            ));
        }
        Ok(Self { region, ..typed })
    }

    /// Returns the typed region, else the usual one, unless the host is AWS's, which has the region in its name.
    fn region(&self, global: &Global) -> Result<Option<Region>> {
        let typed = aws::typed_region(global, true)?;
        if typed.is_some() || self.host.as_deref().is_some_and(is_of_aws) {
            return Ok(typed);
        }
        Ok(aws::region(global, true).ok())
    }

    fn is_empty(&self) -> bool {
        self.user_name.is_none()
            && self.password.is_none()
            && self.host.is_none()
            && self.port.is_none()
            && self.said.is_none()
    }

    /// Returns the evidence in the values alone.
    pub(super) fn evidence(&self) -> Evidence {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let days = (0..DAYS).filter_map(|days| today.checked_sub(Span::new().days(days)).ok());
        let dates: Vec<String> = days.map(|day| day.strftime("%Y%m%d").to_string()).collect();
        let evidence = Evidence::of(Values {
            user_name: self.user_name.as_ref().map(Secret::expose),
            password: self.password.as_ref().map(Secret::expose),
            secret: self.secret.as_ref(),
            host: self.host.as_deref(),
            port: self.port,
            place: self.place,
            tls_mode: self.tls_mode,
            is_of_postfix: self.is_of_postfix,
            region: self.region.as_ref(),
            dates: &dates,
        });
        Evidence { from: self.from.clone(), to: self.to.clone(), ..evidence }
            .with_said(self.said.clone())
    }

    /// Returns the user name, which may be the name of an IAM user.
    pub(super) fn iam_user_name(&self) -> Option<&str> {
        self.user_name.as_ref().map(|name| name.expose().trim())
    }
}

/// The number of days back for which a derivation with the date of the day is looked for; `inspect` goes further.
const DAYS: i64 = 3;

fn is_of_aws(host: &str) -> bool {
    host.contains("amazonaws") || host.ends_with(".api.aws")
}

/// Returns a text without its last line end, which no reader takes for a part of the value.
fn without_line_end(text: &str) -> Secret {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn secret(path: &Path) -> Result<SecretAccessKey> {
    let name = input::name(path);
    let pasted = seskey::pasted::access_key(&input::read(path)?);
    pasted.map(|pasted| pasted.secret).map_err(|error| explain::input::pasted(&error, &name))
}
