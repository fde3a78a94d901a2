//! `hoshu health`: whether the role on this machine is ready, for a container without any other HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, ensure};
use chassis::Settings;

use crate::command_line::Options;

/// Shorter than the patience of any engine that asks.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer that are read: some hundred parts.
const ANSWER: u64 = 64 * 1024;

/// Prints what `/readyz` at `HOSHU_OPS_ADDR` says.
///
/// # Errors
/// When something is failing, or nobody answers.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let settings = Settings::load(&options.files, &options.settings)?;
    let (is_ready, parts) = ask(&settings.ops_addr)?;
    println!("{}", parts.trim_end());
    ensure!(is_ready, "not ready");
    Ok(())
}

fn ask(address: &str) -> anyhow::Result<(bool, String)> {
    let address = reachable(address)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nobody listens on {address} (HOSHU_OPS_ADDR)"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // An HTTP/1.0 answer ends where the connection does, and is never in chunks.
    stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream
        .take(ANSWER)
        .read_to_string(&mut answer)
        .with_context(|| format!("no answer from {address}"))?;
    let (head, parts) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let is_ready = head.split(' ').nth(1) == Some("200");
    Ok((is_ready, parts.to_owned()))
}

/// A door that is open on all addresses is knocked at on the loopback one.
fn reachable(address: &str) -> anyhow::Result<SocketAddr> {
    let mut found = address
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .with_context(|| format!("HOSHU_OPS_ADDR: {address} is not an address as 0.0.0.0:9464"))?;
    if found.ip().is_unspecified() {
        found.set_ip(match found {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn a_role_that_fails_is_not_healthy_and_says_why() {
        let ready = answering("HTTP/1.0 200 OK\r\ncontent-length: 17\r\n\r\nok registry.nats\n");
        assert_eq!(
            ask(&ready).unwrap(),
            (true, "ok registry.nats\n".to_owned())
        );
        let failing =
            answering("HTTP/1.0 503 Service Unavailable\r\n\r\nfailing api.database: away\n");
        let (is_ready, parts) = ask(&failing).unwrap();
        assert!(!is_ready && parts.contains("away"), "{parts}");
    }

    #[test]
    fn a_door_on_all_addresses_is_knocked_at_on_the_loopback_one() {
        assert_eq!(
            reachable("0.0.0.0:9464").unwrap().to_string(),
            "127.0.0.1:9464"
        );
        assert_eq!(reachable("[::]:9464").unwrap().to_string(), "[::1]:9464");
        assert!(
            reachable("9464")
                .unwrap_err()
                .to_string()
                .contains("HOSHU_OPS_ADDR")
        );
    }

    #[test]
    fn nobody_there_is_told_with_the_setting_to_look_at() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = format!("{:#}", ask(&address).unwrap_err());
        assert!(error.contains("HOSHU_OPS_ADDR"), "{error}");
    }
}
