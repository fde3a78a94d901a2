//! The certificate of the TLS doors: one's own by configuration, or self-made in the data folder.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use chassis::Settings;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// # Errors
/// Says what to set when there is no certificate, or which file cannot be used.
pub(crate) fn server_config(settings: &Settings) -> anyhow::Result<ServerConfig> {
    let files = files(settings)?;
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| {
            format!(
                "cannot read the certificate {}",
                files.certificate.display()
            )
        })?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("cannot read the key {}", files.key.display()))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| {
            format!(
                "{} and {} do not fit",
                files.certificate.display(),
                files.key.display()
            )
        })
}

fn files(settings: &Settings) -> anyhow::Result<Files> {
    match (
        &settings.tls_cert_file,
        &settings.tls_key_file,
        &settings.data_dir,
    ) {
        (Some(certificate), Some(key), _) => Ok(Files {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        (Some(_), None, _) => {
            bail!("HOSHU_TLS_KEY_FILE is not set, but HOSHU_TLS_CERT_FILE is: set both")
        }
        (None, Some(_), _) => {
            bail!("HOSHU_TLS_CERT_FILE is not set, but HOSHU_TLS_KEY_FILE is: set both")
        }
        (None, None, Some(data)) => self_made(&data.join("tls")),
        (None, None, None) => bail!(
            "HOSHU_TLS_CERT_FILE and HOSHU_TLS_KEY_FILE are not set: a gateway alone must be given its certificate"
        ),
    }
}

/// Made once; to have new ones, delete the folder.
fn self_made(folder: &Path) -> anyhow::Result<Files> {
    let files = Files {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
    };
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let made = make().context("cannot make a certificate")?;
    for (path, text, mode) in [
        (folder.join("ca.pem"), &made.ca, 0o644),
        (files.key.clone(), &made.key, 0o600),
        (files.certificate.clone(), &made.certificate, 0o644),
    ] {
        write(&path, text, mode).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files)
}

struct Made {
    ca: String,
    certificate: String,
    key: String,
}

/// The CA's own key is thrown away: nobody can make another certificate that these devices trust.
fn make() -> Result<Made, rcgen::Error> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "Hoshu self-made CA");
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut server = CertificateParams::new(names())?;
    server
        .subject_alt_names
        .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    server
        .subject_alt_names
        .push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server
        .distinguished_name
        .push(DnType::CommonName, "Hoshu gateway");
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Made {
        ca: ca_certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// This machine's own name too, if it is one that a certificate can hold.
fn names() -> Vec<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().to_owned();
    let usable = !host.is_empty()
        && host != "localhost"
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let mut names = vec!["localhost".to_owned()];
    names.extend(usable.then_some(host));
    names
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            data_dir: Some(folder.path().to_owned()),
            ..Settings::default()
        };
        server_config(&settings).unwrap();
        let tls = folder.path().join("tls");
        let first = fs::read(tls.join("server.pem")).unwrap();
        assert_eq!(
            fs::metadata(tls.join("server.key"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
        assert!(CertificateDer::from_pem_file(tls.join("ca.pem")).is_ok());
        server_config(&settings).unwrap();
        assert_eq!(
            fs::read(tls.join("server.pem")).unwrap(),
            first,
            "devices trust what was made first"
        );
    }

    #[test]
    fn a_gateway_alone_says_what_it_lacks() {
        let error = server_config(&Settings::default()).unwrap_err().to_string();
        assert!(error.contains("HOSHU_TLS_CERT_FILE"), "{error}");
        let half = Settings {
            tls_cert_file: Some("x.pem".into()),
            ..Settings::default()
        };
        assert!(
            server_config(&half)
                .unwrap_err()
                .to_string()
                .contains("HOSHU_TLS_KEY_FILE")
        );
    }
}
