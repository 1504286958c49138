//! The parts of the manual pages that clap does not know: variables, files, exit codes.

/// A row of such a section, for some verbs, or for all if none is named.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    verbs: &'static [&'static str],
}

impl Fact {
    /// Whether the row is on the page of this verb. The page of seskey itself has all rows.
    pub(super) fn is_of(&self, verb: &str) -> bool {
        verb.is_empty() || self.verbs.is_empty() || self.verbs.contains(&verb)
    }
}

const fn row(name: &'static str, verbs: &'static [&'static str], meaning: &'static str) -> Fact {
    Fact { name, meaning, verbs }
}

const ALL: &[&str] = &[];
const IN_AN_ACCOUNT: &[&str] = &[
    "create", "list", "audit", "verify", "diagnose", "rotate", "plan", "apply", "revoke", "delete",
    "migrate", "lambda",
];
const WITH_STORES: &[&str] = &["create", "rotate", "plan", "apply", "revoke", "lambda"];
const WITH_A_REGION: &[&str] = &[
    "derive", "render", "create", "verify", "diagnose", "rotate", "plan", "apply", "revoke",
    "local",
];
const WITH_PROFILES: &[&str] = &[
    "derive", "inspect", "render", "create", "list", "audit", "verify", "diagnose", "rotate",
    "plan", "apply", "revoke", "delete", "migrate",
];

pub(super) const ENVIRONMENT: &[Fact] = &[
    row(
        "AWS_REGION, AWS_DEFAULT_REGION",
        WITH_A_REGION,
        "The region, where --region gives none. The first that is set counts.",
    ),
    row("AWS_PROFILE", WITH_PROFILES, "The profile, where --profile gives none."),
    row(
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        WITH_PROFILES,
        "Where the profiles are, in place of ~/.aws/config and ~/.aws/credentials.",
    ),
    row(
        "AWS_SECRET_ACCESS_KEY",
        &["derive", "inspect"],
        "The secret access key that derive and inspect take, where nothing else gives one.",
    ),
    row(
        "AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, AWS_SECURITY_TOKEN",
        &["derive", "inspect"],
        "They tell whether that secret is temporary: such a one is refused.",
    ),
    row(
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        IN_AN_ACCOUNT,
        "The AWS credentials of the caller, unless --profile is given.",
    ),
    row(
        "AWS_ENDPOINT_URL_IAM, AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL",
        IN_AN_ACCOUNT,
        "The endpoints of IAM and STS, where --endpoint-url gives none.",
    ),
    row(
        "AWS_ENDPOINT_URL_ORGANIZATIONS",
        &["list", "audit", "plan", "apply", "lambda"],
        "The endpoint of Organizations, which lists the accounts of an organization.",
    ),
    row(
        "AWS_ENDPOINT_URL_S3",
        &["lambda"],
        "The endpoint of S3, for a seskey.toml that is an object.",
    ),
    row(
        "AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL_SSM",
        WITH_STORES,
        "The endpoints of the stores secretsmanager: and ssm:.",
    ),
    row(
        "SESKEY_SMTP_ENDPOINT, SESKEY_CA_FILE",
        &["plan", "apply", "lambda"],
        "Where plan and apply prove credentials, and whom they trust there, where seskey.toml does not say.",
    ),
    row(
        "SESKEY_CONFIG",
        &["lambda"],
        "The seskey.toml of a function of Lambda: a path in its package, s3://BUCKET/KEY of an object, or ssm:/NAME of a parameter.",
    ),
    row(
        "AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_MEMORY_SIZE, AWS_LAMBDA_FUNCTION_VERSION, LAMBDA_TASK_ROOT",
        &["lambda"],
        "The settings of a function, set by Lambda.",
    ),
    row(
        "SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY",
        &["local"],
        "The secret access key of the root user that local --root-access-key-id names.",
    ),
    row(
        "AWS_ENDPOINT_URL_SNS",
        &["local"],
        "An SNS beside local, where the events of its SES are published too; the COMMAND of local does not get it.",
    ),
    row(
        "SSL_CERT_FILE",
        &["local"],
        "The certificates that local trusts when it sends to subscribers of SNS, and that its COMMAND trusts, besides that of the local SES. They take the place of the system's.",
    ),
    row("TMPDIR", &["local"], "Where local writes that certificate without --data."),
    row(
        "AWS_...",
        IN_AN_ACCOUNT,
        "Other settings of the AWS SDKs: AWS SDKs and Tools Reference Guide, Settings reference.",
    ),
    row(
        "SESKEY_IAM_USER, SESKEY_SMTP_USER_NAME",
        WITH_STORES,
        "Set for the command of --after: the IAM user, and the access key ID of its new credential.",
    ),
    row(
        "SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD, SMTP_FROM, SMTP_URL",
        &["local"],
        "Set for the COMMAND of local, beside more that docs/running.md lists.",
    ),
    row(
        "SESKEY_COMPLETE_USERS",
        &["completions"],
        "Whether completions ask IAM for the names of users, if it is set and not empty.",
    ),
    row("NO_COLOR", ALL, "No colours, if it is set and not empty."),
    row("COLUMNS", ALL, "How wide --help is, where there is no terminal."),
];

pub(super) const FILES: &[Fact] = &[
    row(
        "~/.aws/config, ~/.aws/credentials",
        WITH_PROFILES,
        "The profiles: credentials, regions, endpoints.",
    ),
    row(
        "seskey.toml",
        &["plan", "apply", "list", "audit"],
        "The credentials that are declared, and their accounts.",
    ),
    row(
        "DIR/seskey.db",
        &["local"],
        "All that the local SES keeps, for its owner alone. DIR is that of local --data.",
    ),
    row(
        "DIR/ca.pem",
        &["local"],
        "The certificate of that local SES, which its clients must trust.",
    ),
];

pub(super) const EXIT_STATUS: &[Fact] = &[
    row("0", ALL, "It is done."),
    row("1", ALL, "It failed, and nothing was changed."),
    row("2", ALL, "It was called in a wrong way; nothing was changed."),
    row(
        "3",
        &["derive", "create", "rotate", "apply", "revoke", "delete", "migrate"],
        "It is unfinished: something was made and could not be taken back, something is left to do, or rows of a \
         batch were left out.",
    ),
    row(
        "4",
        &["policy", "plan", "audit", "diagnose"],
        "Something was found, and --exit-code asks to say so.",
    ),
    row("any", &["local"], "As the COMMAND of local ended, if one was run."),
];
