//! The servers that are measured, and their start.

use std::{
    env,
    ffi::OsString,
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio_rustls::TlsConnector;

use crate::{
    Result,
    iam::Iam,
    process::Process,
    smtp::{Endpoint, Kind},
    tls,
};

/// A kind of server.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    serves: &'static [Service],
    program: Program,
}

/// A service that a client can measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Smtp(Kind),
}

enum Program {
    /// `seskey local` with more options.
    Seskey(&'static [&'static str]),
    /// This program itself.
    Sink,
    /// A file in `benches/baselines`.
    Baseline(&'static str),
}

pub(crate) const SINK: &str = "bare TLS sink";
pub(crate) const MOTO: &str = "moto";
pub(crate) const LOCAL: &str = "seskey local";
pub(crate) const DURABLE: &str = "seskey local --data";

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject { name: LOCAL, serves: ALL, program: Seskey(&[]) },
    Subject { name: DURABLE, serves: ALL, program: Seskey(&["--data", "data"]) },
    Subject { name: MOTO, serves: IAM, program: Baseline("moto_server.py") },
    Subject { name: SINK, serves: SMTP, program: Sink },
    Subject { name: "aiosmtpd", serves: SMTP, program: Baseline("aiosmtpd_server.py") },
    Subject { name: "Postfix with Dovecot", serves: SMTP, program: Baseline("postfix.sh") },
    Subject { name: "Haraka", serves: SMTP, program: Baseline("haraka.sh") },
    Subject { name: "smtp-server", serves: SMTP, program: Baseline("smtp_server.js") },
    Subject { name: "maildev", serves: WRAPPER, program: Baseline("maildev.sh") },
];

use Program::{Baseline, Seskey, Sink};

const IAM: &[Service] = &[Service::Iam];
const WRAPPER: &[Service] = &[Service::Smtp(Kind::TlsWrapper)];
const SMTP: &[Service] = &[Service::Smtp(Kind::StartTls), Service::Smtp(Kind::TlsWrapper)];
const ALL: &[Service] =
    &[Service::Iam, Service::Smtp(Kind::StartTls), Service::Smtp(Kind::TlsWrapper)];

/// The arguments of `seskey local`.
const SESKEY_LOCAL: &[&str] = &["local", "--quiet", "--region", "us-east-1"];

/// A server that accepts connections.
pub(crate) struct Server {
    pub(crate) subject: &'static Subject,
    pub(crate) process: Process,
    /// The time from its start until it accepted a connection at each of its ports, and greeted.
    pub(crate) ready_after: Duration,
    pub(crate) iam: Iam,
    smtp: SocketAddr,
    smtps: SocketAddr,
    /// The credentials that it accepts, as AUTH PLAIN sends them.
    auth: String,
    tls: TlsConnector,
}

/// The paths of the programs.
pub(crate) struct Programs {
    pub(crate) seskey: PathBuf,
    pub(crate) baselines: PathBuf,
}

/// The access key of the root user in the local SES, and the SMTP credentials elsewhere.
const ACCESS_KEY: (&str, &str) =
    ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    /// Starts a server and waits until it is ready. `before` is a command that runs it, such as a tracer.
    pub(crate) async fn start(
        subject: &'static Subject,
        programs: &Programs,
        before: &[&str],
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = tls::write_certificates(folder.path())?;
        let [http, smtp, smtps] = free_ports()?;
        let mut command = subject.command(programs, before, [http, smtp, smtps])?;
        command
            .env("PATH", search_path(&programs.baselines)?)
            .env("NODE_PATH", programs.baselines.join("node_modules"))
            .env("WORK", folder.path())
            .env("TLS_CERTIFICATE", folder.path().join("certificate.pem"))
            .env("TLS_KEY", folder.path().join("key.pem"))
            .env("SMTP_USER_NAME", ACCESS_KEY.0)
            .env("SMTP_PASSWORD", ACCESS_KEY.1)
            .env("HTTP_PORT", http.port().to_string())
            .env("SMTP_PORT", smtp.port().to_string())
            .env("SMTPS_PORT", smtps.port().to_string());
        let ports = [
            (http, Service::Iam),
            (smtp, Service::Smtp(Kind::StartTls)),
            (smtps, Service::Smtp(Kind::TlsWrapper)),
        ];
        let ports = ports.into_iter().filter(|(_, service)| subject.serves(*service));
        let ports: Vec<(SocketAddr, Service)> = ports.collect();

        let start = Instant::now();
        let mut process = Process::start(&mut command, folder)?;
        while !ports.iter().all(|(port, service)| is_ready(*port, *service)) {
            let ended = process.ended().map(|status| status.to_string());
            if ended.is_some() || start.elapsed() > PATIENCE {
                let (log, why) = (process.log(), ended.unwrap_or_else(|| "not ready".into()));
                return Err(format!("{why}: {}", log.lines().last().unwrap_or_default()).into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        let ready_after = start.elapsed();
        let iam = Iam::new(http, ACCESS_KEY);
        let (user_name, password, authority) = match subject.program {
            Seskey(_) => {
                let (user_name, password) = iam.smtp_credentials().await?;
                (user_name, password, tls::authority_of_seskey(&process)?)
            }
            _ => (ACCESS_KEY.0.to_owned(), ACCESS_KEY.1.to_owned(), authority),
        };
        Ok(Self {
            subject,
            process,
            ready_after,
            iam,
            smtp,
            smtps,
            auth: format!(
                "AUTH PLAIN {}\r\n",
                BASE64_STANDARD.encode(format!("\0{user_name}\0{password}"))
            ),
            tls: tls::connector(&authority)?,
        })
    }

    pub(crate) fn endpoint(&self, kind: Kind) -> Endpoint {
        let address = match kind {
            Kind::StartTls => self.smtp,
            Kind::TlsWrapper => self.smtps,
        };
        Endpoint { address, kind, tls: self.tls.clone(), auth: self.auth.clone() }
    }
}

impl Subject {
    pub(crate) fn serves(&self, service: Service) -> bool {
        self.serves.contains(&service)
    }

    fn command(
        &self,
        programs: &Programs,
        before: &[&str],
        [http, smtp, smtps]: [SocketAddr; 3],
    ) -> Result<Command> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/baselines");
        let program = match self.program {
            Seskey(_) => programs.seskey.clone(),
            Sink => env::current_exe()?,
            Baseline(file) => folder.join(file),
        };
        let mut command = match before {
            [] => Command::new(program),
            [tracer, options @ ..] => {
                let mut command = Command::new(tracer);
                command.args(options).arg(program);
                command
            }
        };
        match self.program {
            Seskey(options) => {
                command
                    .args(SESKEY_LOCAL)
                    .args(["--http", &http.to_string()])
                    .args(["--smtp", &smtp.to_string()])
                    .args(["--smtps", &smtps.to_string()])
                    .args(["--root-access-key-id", ACCESS_KEY.0])
                    .env("SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY", ACCESS_KEY.1)
                    .args(options);
            }
            Sink => {
                command.arg("--sink");
            }
            Baseline(_) => {}
        }
        Ok(command)
    }
}

/// Whether it accepts a connection, and greets if a server does that before TLS.
fn is_ready(port: SocketAddr, service: Service) -> bool {
    let greets = |mut tcp: TcpStream| {
        tcp.set_read_timeout(Some(Duration::from_secs(1)))?;
        tcp.read_exact(&mut [0; 4])
    };
    TcpStream::connect(port)
        .is_ok_and(|tcp| service != Service::Smtp(Kind::StartTls) || greets(tcp).is_ok())
}

/// Returns the search path, with the installed baselines first.
fn search_path(baselines: &Path) -> Result<OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    let new = [baselines.join("bin"), baselines.join("node_modules/.bin")];
    Ok(env::join_paths(new.into_iter().chain(env::split_paths(&old)))?)
}

/// Finds free ports. They stay free as long as no other process is given them.
fn free_ports() -> Result<[SocketAddr; 3]> {
    let listen = || TcpListener::bind(("127.0.0.1", 0));
    let listeners = [listen()?, listen()?, listen()?];
    let mut ports = [SocketAddr::from(([127, 0, 0, 1], 0)); 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?;
    }
    Ok(ports)
}
