//! The account: clients for IAM and STS, with the credentials of the SDK's whole default chain.

use std::{
    error::Error as StdError,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, SdkConfig, default_provider::region::DefaultRegionChain,
    profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig, retry::RetryConfig,
    sts::AssumeRoleProvider,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::{
    config::{
        ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
        interceptors::BeforeTransmitInterceptorContextRef, timeout::TimeoutConfig,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
};
use aws_types::service_config::ServiceConfigKey;
use seskey::{AccessKeyId, Partition, SecretAccessKey};

use crate::{
    clock::Clock,
    error::Error,
    pace::{self, Pace},
    retry::Unreached,
};

/// The caller's choices. The rest comes from the environment and the shared configuration files, as for any AWS tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The profile, in place of the default one.
    pub profile: Option<String>,
    /// The region, in place of the configured one.
    pub region: Option<seskey::Region>,
    /// One endpoint for IAM, STS, SES and Organizations, in place of AWS's.
    pub endpoint_url: Option<String>,
    /// An access key, in place of the default chain.
    pub access_key: Option<(AccessKeyId, SecretAccessKey)>,
    /// The roles that are assumed, the first with these credentials, each other with those of the one before. The
    /// account is seen by the session of the last one.
    pub roles: Vec<Role>,
    /// The most requests per second to IAM and STS, by all clones of the [`Account`] together; fewer while AWS
    /// throttles them.
    pub calls_per_second: Option<NonZeroU32>,
}

/// A role to assume. Source: STS API, `AssumeRole`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external ID that its trust policy may require.
    pub external_id: Option<String>,
    /// The name of the session, as CloudTrail shows it; `seskey` if absent.
    pub session_name: Option<String>,
}

/// An AWS account, or a local SES, seen through its IAM and STS.
#[derive(Clone)]
pub struct Account {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    /// The configuration for clients of other services, which have their own endpoints.
    config: SdkConfig,
    /// The endpoint that was chosen for IAM, STS, SES and Organizations.
    endpoint_url: Option<String>,
    /// The time by IAM's answers.
    pub(crate) clock: Clock,
    region: Option<String>,
    iam_endpoint: Dialled,
    sts_endpoint: Dialled,
    /// The SMTP endpoint, in place of the region's.
    pub(crate) smtp_endpoint: Option<(String, u16)>,
}

impl Account {
    /// Returns the account with another SMTP endpoint, such as that of a local SES or of a VPC. It is written to
    /// stores.
    #[must_use]
    pub fn with_smtp_endpoint(self, host: &str, port: u16) -> Self {
        Self { smtp_endpoint: Some((host.to_owned(), port)), ..self }
    }

    /// Reads the configuration. Makes no call to IAM or STS.
    pub async fn connect(options: &Options) -> Self {
        let region = match &options.region {
            Some(region) => Some(region.to_string()),
            None => configured_region(options.profile.as_deref()).await,
        };
        // IAM is global, but a request cannot be signed without a region
        let signing =
            region.clone().unwrap_or_else(|| Partition::Aws.iam_signing_region().to_owned());
        let signing = Region::new(signing);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(signing.clone())
            .retry_config(retries())
            .timeout_config(timeouts());
        if let Some(profile) = &options.profile {
            // a chosen profile goes before the environment, which the default chain asks first
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&ProviderConfig::without_region().with_region(Some(signing)))
                .profile_name(profile);
            loader = loader.profile_name(profile).credentials_provider(provider.build());
        }
        if let Some((id, secret)) = &options.access_key {
            let (id, secret) = (id.as_str(), secret.expose());
            loader =
                loader.credentials_provider(Credentials::new(id, secret, None, None, "seskey"));
        }
        let mut config = loader.load().await;
        for role in &options.roles {
            config = assume(role, options.endpoint_url.as_deref(), config).await;
        }
        let clock = Clock::default();
        let (iam_endpoint, sts_endpoint) = (Dialled::default(), Dialled::default());
        let mut iam = aws_sdk_iam::config::Builder::from(&config)
            .interceptor(iam_endpoint.clone())
            .interceptor(clock.clone())
            .retry_classifier(Unreached);
        let mut sts = aws_sdk_sts::config::Builder::from(&config)
            .interceptor(sts_endpoint.clone())
            .retry_classifier(Unreached);
        if let Some(limit) = options.calls_per_second {
            let pace = Pace::new(limit);
            let client = pace.http_client();
            iam = iam.http_client(client.clone()).interceptor(pace.clone());
            sts = sts.http_client(client).interceptor(pace);
            let timeouts = pace::timeouts();
            (iam, sts) = (iam.timeout_config(timeouts.clone()), sts.timeout_config(timeouts));
        }
        if let Some(url) = &options.endpoint_url {
            (iam, sts) = (iam.endpoint_url(url), sts.endpoint_url(url));
        }
        Self {
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            config,
            endpoint_url: options.endpoint_url.clone(),
            clock,
            region,
            iam_endpoint,
            sts_endpoint,
            smtp_endpoint: None,
        }
    }

    /// Returns the region that was chosen or is configured, if any.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Turns the SDK's error for a failed call into facts.
    pub(crate) fn failed<E>(&self, action: &'static str) -> impl FnOnce(SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let endpoint =
            if action.starts_with("sts:") { &self.sts_endpoint } else { &self.iam_endpoint };
        endpoint.failed(action)
    }

    /// Returns the endpoint that is configured for the service with this ID, or for all services.
    pub(crate) fn endpoint_url_of(&self, service: &str) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service);
        let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let key = key.expect("all three are set");
        let of_service = self.config.service_config().and_then(|config| config.load_config(key));
        of_service.or_else(|| self.config.endpoint_url().map(str::to_owned))
    }

    pub(crate) fn credentials_provider(&self) -> Option<SharedCredentialsProvider> {
        self.config.credentials_provider()
    }

    /// Returns a client of SES in this region.
    pub(crate) fn ses(&self, region: &seskey::Region) -> Service<aws_sdk_sesv2::Client> {
        let endpoint = Dialled::default();
        let mut config = aws_sdk_sesv2::config::Builder::from(&self.config)
            .region(Region::new(region.to_string()))
            .interceptor(endpoint.clone())
            .retry_classifier(Unreached);
        if let Some(url) = &self.endpoint_url {
            config = config.endpoint_url(url);
        }
        Service { client: aws_sdk_sesv2::Client::from_conf(config.build()), endpoint }
    }

    pub(crate) fn organizations(&self) -> Service<aws_sdk_organizations::Client> {
        let endpoint = Dialled::default();
        let mut config = aws_sdk_organizations::config::Builder::from(&self.config)
            .interceptor(endpoint.clone())
            .retry_classifier(Unreached);
        if let Some(url) = &self.endpoint_url {
            config = config.endpoint_url(url);
        }
        Service { client: aws_sdk_organizations::Client::from_conf(config.build()), endpoint }
    }

    /// Returns a client of Secrets Manager in this region, else in that of the account; `None` if neither is known.
    #[cfg(feature = "secretsmanager")]
    pub(crate) fn secrets_manager(
        &self,
        region: Option<&seskey::Region>,
    ) -> Option<Service<aws_sdk_secretsmanager::Client>> {
        let endpoint = Dialled::default();
        let config = aws_sdk_secretsmanager::config::Builder::from(&self.config)
            .region(self.region_of_store(region)?)
            .interceptor(endpoint.clone())
            .retry_classifier(Unreached);
        let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
        Some(Service { client, endpoint })
    }

    /// Returns a client of Systems Manager, likewise.
    #[cfg(feature = "ssm")]
    pub(crate) fn ssm(
        &self,
        region: Option<&seskey::Region>,
    ) -> Option<Service<aws_sdk_ssm::Client>> {
        let endpoint = Dialled::default();
        let config = aws_sdk_ssm::config::Builder::from(&self.config)
            .region(self.region_of_store(region)?)
            .interceptor(endpoint.clone())
            .retry_classifier(Unreached);
        Some(Service { client: aws_sdk_ssm::Client::from_conf(config.build()), endpoint })
    }

    #[cfg(any(feature = "secretsmanager", feature = "ssm"))]
    fn region_of_store(&self, region: Option<&seskey::Region>) -> Option<Region> {
        let region = region.map(seskey::Region::as_str).or_else(|| self.region())?;
        Some(Region::new(region.to_owned()))
    }
}

/// A client of a service other than IAM and STS.
pub(crate) struct Service<C> {
    pub(crate) client: C,
    endpoint: Dialled,
}

impl<C> Service<C> {
    /// Whether the first request went to AWS itself, and not to an emulator.
    pub(crate) fn is_of_aws(&self) -> bool {
        let host = self.endpoint.0.get().and_then(|url| url.split('/').nth(2));
        host.is_some_and(|host| AWS.iter().any(|suffix| host.ends_with(suffix)))
    }

    /// As [`Account::failed`].
    pub(crate) fn failed<E>(&self, action: &'static str) -> impl FnOnce(SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        self.endpoint.failed(action)
    }
}

/// The domains of AWS's endpoints. Source: AWS General Reference, "AWS service endpoints".
const AWS: [&str; 4] = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"];

async fn configured_region(profile: Option<&str>) -> Option<String> {
    let mut chain = DefaultRegionChain::builder();
    if let Some(profile) = profile {
        chain = chain.profile_name(profile);
    }
    chain.build().region().await.map(|region| region.as_ref().to_owned())
}

/// Returns the same configuration with the credentials of a role's session, which are renewed before they expire.
async fn assume(role: &Role, endpoint_url: Option<&str>, config: SdkConfig) -> SdkConfig {
    let mut caller = config.to_builder();
    if let Some(url) = endpoint_url {
        caller.set_endpoint_url(Some(url.to_owned()));
    }
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .configure(&caller.build())
        .session_name(role.session_name.as_deref().unwrap_or("seskey"));
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let session = SharedCredentialsProvider::new(provider.build().await);
    config.into_builder().credentials_provider(session).build()
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_attempts(5)
        .with_max_backoff(Duration::from_secs(5))
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(Duration::from_secs(60))
        .build()
}

/// The time that a request may go without an answer.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The endpoint of one client's requests, noted when the first is sent.
#[derive(Debug, Clone, Default)]
struct Dialled(Arc<OnceLock<String>>);

impl Dialled {
    fn failed<E>(&self, action: &'static str) -> impl FnOnce(SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        move |error| Error::of(action, self.0.get().map(String::as_str), &error)
    }
}

impl Intercept for Dialled {
    fn name(&self) -> &'static str {
        "Dialled"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.get_or_init(|| context.request().uri().to_owned());
        Ok(())
    }
}
