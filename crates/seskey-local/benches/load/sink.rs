//! A bare TLS sink: it accepts everything and forgets it. No server on the same runtime and TLS library can be much
//! faster.

use std::{env, io, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{Result, smtp::Kind};

/// Serves forever, at the ports that the environment names.
pub(crate) async fn serve() -> Result<()> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(env::var("TLS_CERTIFICATE")?)?],
            PrivateKeyDer::from_pem_file(env::var("TLS_KEY")?)?,
        )?;
    let tls = TlsAcceptor::from(Arc::new(config));
    let listen = async |port| {
        TcpListener::bind(format!("127.0.0.1:{}", env::var(port)?))
            .await
            .map_err(crate::Failure::from)
    };
    tokio::spawn(accept(listen("SMTP_PORT").await?, Kind::StartTls, tls.clone()));
    accept(listen("SMTPS_PORT").await?, Kind::TlsWrapper, tls).await;
    Ok(())
}

async fn accept(listener: TcpListener, kind: Kind, tls: TlsAcceptor) {
    while let Ok((tcp, _)) = listener.accept().await {
        tokio::spawn(connection(tcp, kind, tls.clone()));
    }
}

async fn connection(mut tcp: TcpStream, kind: Kind, tls: TlsAcceptor) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    if kind == Kind::StartTls {
        tcp.write_all(GREETING).await?;
        converse(&mut BufReader::new(&mut tcp)).await?;
    }
    let mut stream = BufReader::new(tls.accept(tcp).await?);
    if kind == Kind::TlsWrapper {
        stream.write_all(GREETING).await?;
    }
    converse(&mut stream).await?;
    stream.shutdown().await
}

const GREETING: &[u8] = b"220 localhost\r\n";

/// Answers each command, up to STARTTLS or QUIT.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> io::Result<()> {
    let mut line = vec![];
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let (reply, last): (&[u8], bool) = match line.get(..4) {
            Some(b"EHLO") => (b"250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", false),
            Some(b"STAR") => (b"220 \r\n", true),
            Some(b"AUTH") => (b"235 \r\n", false),
            Some(b"DATA") => {
                stream.write_all(b"354 \r\n").await?;
                stream.flush().await?;
                while line != b".\r\n" {
                    line.clear();
                    stream.read_until(b'\n', &mut line).await?;
                }
                (b"250 \r\n", false)
            }
            Some(b"QUIT") => (b"221 \r\n", true),
            _ => (b"250 \r\n", false),
        };
        stream.write_all(reply).await?;
        stream.flush().await?;
        if last {
            return Ok(());
        }
    }
}
