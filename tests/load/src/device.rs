//! One device's connection: signed, welcomed, then bytes in and out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alink::sign::{SignMethod, session_content};
use anyhow::{Context, bail, ensure};
use rustls::pki_types::ServerName;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::command_line::Target;
use crate::house::Made;
use crate::wire::{self, Packet};

/// The longest that the platform takes: no run is longer, so nobody needs to ping.
const KEEP_ALIVE_SECONDS: u16 = 1200;
const WELCOME_WITHIN: Duration = Duration::from_secs(30);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where devices connect, and whether by TLS.
#[derive(Clone)]
pub(crate) struct Door {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Door {
    pub(crate) fn of(target: &Target) -> anyhow::Result<Self> {
        let tls = target.ca_file.as_ref().map(|file| {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file).context("--ca-file")? {
                roots.add(certificate?)?;
            }
            let config = rustls::ClientConfig::builder()
                .with_root_certificates(roots)
                .with_no_client_auth();
            anyhow::Ok(TlsConnector::from(Arc::new(config)))
        });
        Ok(Self {
            address: target.mqtt,
            tls: tls.transpose()?,
        })
    }

    /// Opens a connection as this device, and waits until it is welcome.
    pub(crate) async fn connect(&self, made: &Made) -> anyhow::Result<Link> {
        tokio::time::timeout(WELCOME_WITHIN, self.welcome(made))
            .await
            .context("no CONNACK in time")?
    }

    async fn welcome(&self, made: &Made) -> anyhow::Result<Link> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some(tls) => Box::new(
                tls.connect(ServerName::try_from("localhost")?, stream)
                    .await?,
            ),
            None => Box::new(stream),
        };
        let mut link = Link {
            stream,
            inbox: Vec::new(),
        };
        let mut hello = Vec::new();
        self.hello(made, &mut hello);
        link.write(&hello).await?;
        link.fill().await?;
        match wire::read(&link.inbox)? {
            Some((Packet::Connack(0), length)) => link.take(length),
            Some((Packet::Connack(code), _)) => {
                bail!("the platform refused {}: {code}", made.device)
            }
            _ => bail!("the platform did not begin with a CONNACK"),
        }
        Ok(link)
    }

    fn hello(&self, made: &Made, out: &mut Vec<u8>) {
        let device = made.device.as_ref();
        let (name, key) = (device.device_name(), device.product_key());
        let own_id = format!("{key}.{name}");
        let secure_mode = if self.tls.is_some() { 2 } else { 3 };
        // With `_ss` its replies come without a SUBSCRIBE.
        let client_id = format!("{own_id}|securemode={secure_mode},signmethod=hmacsha256,_ss=1|");
        let proof = session_content(&own_id, device, None);
        let password = SignMethod::HmacSha256.sign(&made.secret, &proof);
        wire::connect(
            out,
            &client_id,
            &format!("{name}&{key}"),
            &password,
            KEEP_ALIVE_SECONDS,
        );
    }
}

/// A welcomed connection.
pub(crate) struct Link {
    stream: Box<dyn Stream>,
    /// What came in and was not taken yet.
    pub(crate) inbox: Vec<u8>,
}

impl Link {
    /// Waits for more bytes; it may be cut short, and nothing is lost.
    pub(crate) async fn fill(&mut self) -> anyhow::Result<()> {
        self.inbox.reserve(1024);
        let count = self.stream.read_buf(&mut self.inbox).await?;
        ensure!(count > 0, "the platform closed the connection");
        Ok(())
    }

    pub(crate) fn take(&mut self, length: usize) {
        self.inbox.drain(..length);
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    pub(crate) async fn goodbye(mut self) {
        let mut bytes = Vec::new();
        wire::disconnect(&mut bytes);
        // Whoever is gone already needs no goodbye.
        let _ = self.write(&bytes).await;
    }
}
