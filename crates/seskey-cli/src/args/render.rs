//! The arguments of `seskey render`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use seskey::render::Target;

use super::Given;

#[derive(Debug, clap::Args)]
#[command(mut_arg("user_name", |arg| arg.long("smtp-user-name")))]
pub(crate) struct Render {
    /// What is to read it
    #[arg(value_name = "TARGET", value_parser = targets())]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) given: Given,
    /// The host that it connects to [else: the endpoint of the credential, of the region]
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The port that it connects to [else: that of the credential, 587]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The address that it sends from, where the form has a place for it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// A file of this form that the credential is put into; - is stdin. What others wrote there is kept
    #[arg(long, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// The name of msmtp's account or OpenSMTPD's label [default: ses], of the Kubernetes secret [default: ses-smtp]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The namespace of the Kubernetes secret
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// How host, port, user-name, password or from is called, such as password=EMAIL_HOST_PASSWORD
    #[arg(long, value_name = "VALUE=NAME")]
    pub(crate) key: Vec<String>,
}

pub(super) fn targets() -> impl TypedValueParser<Value = Target> {
    let values =
        Target::all().map(|target| PossibleValue::new(target.name()).help(target.description()));
    PossibleValuesParser::new(values)
        .map(|name| name.parse().expect("the parser takes nothing but names of targets"))
}
