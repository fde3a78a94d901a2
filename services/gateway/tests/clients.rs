//! Clients that others have written, and TLS.

mod common;

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use common::{Bench, post, set};
use proto::hoshu::bus::v1::down_outcome::Kind;
use rmqtt_codec::{types::Protocol, v3};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_util::codec::Encoder;

#[tokio::test]
async fn a_common_3_1_1_client_posts_and_is_set() {
    let bench = Bench::new().await;
    let device = bench.device("pump-01");
    let mut options = MqttOptions::new(device.client_id(), "127.0.0.1", bench.doors.mqtt.port());
    options.set_credentials(device.username(), "0011");
    options.set_keep_alive(Duration::from_secs(60));
    let (client, mut events) = AsyncClient::new(options, 10);
    client
        .subscribe(
            "/sys/pk/pump-01/thing/service/property/set",
            QoS::AtLeastOnce,
        )
        .await
        .unwrap();
    client
        .publish(post("pump-01"), QoS::AtLeastOnce, false, "{}")
        .await
        .unwrap();
    loop {
        if let Event::Incoming(Incoming::PubAck(_)) = events.poll().await.unwrap() {
            break;
        }
    }
    assert_eq!(bench.up(1).await[0].topic, post("pump-01"));
    let node = bench.node_of("pump-01");
    let down = bench.down(Some(&node), "pump-01", set("pump-01"));
    let mut down = Box::pin(down);
    let outcome = loop {
        tokio::select! {
            outcome = &mut down => break outcome,
            event = events.poll() => drop(event.unwrap()),
        }
    };
    assert_eq!(outcome.kind(), Kind::Pubacked);
    drop(down);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_common_5_client_posts_and_is_set() {
    use rumqttc::v5::{AsyncClient, Event, MqttOptions, mqttbytes::QoS, mqttbytes::v5::Packet};
    let bench = Bench::new().await;
    let device = bench.device("pump-01");
    let mut options = MqttOptions::new(device.client_id(), "127.0.0.1", bench.doors.mqtt.port());
    options.set_credentials(device.username(), "0011");
    options.set_keep_alive(Duration::from_secs(60));
    let (client, mut events) = AsyncClient::new(options, 10);
    client
        .subscribe("/sys/pk/pump-01/#", QoS::AtLeastOnce)
        .await
        .unwrap();
    client
        .publish(post("pump-01"), QoS::AtLeastOnce, false, "{}")
        .await
        .unwrap();
    loop {
        if let Event::Incoming(Packet::PubAck(ack)) = events.poll().await.unwrap() {
            assert_eq!(ack.reason as u8, 0);
            break;
        }
    }
    let node = bench.node_of("pump-01");
    let down = bench.down(Some(&node), "pump-01", set("pump-01"));
    let mut down = Box::pin(down);
    let outcome = loop {
        tokio::select! {
            outcome = &mut down => break outcome,
            event = events.poll() => drop(event.unwrap()),
        }
    };
    assert_eq!(outcome.kind(), Kind::Pubacked);
    drop(down);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_trusts_our_ca_connects_over_tls_by_name_and_by_address() {
    let bench = Bench::new().await;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&bench.ca()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for (name, secure_mode, code) in [
        ("localhost", 2, 0),
        ("127.0.0.1", 2, 0),
        ("localhost", 3, 5),
    ] {
        let stream = TcpStream::connect(bench.doors.mqtts).await.unwrap();
        let mut stream = connector
            .connect(ServerName::try_from(name).unwrap(), stream)
            .await
            .unwrap();
        let mut hello = BytesMut::new();
        let connect = v3::Packet::Connect(Box::new(v3::Connect {
            protocol: Protocol(4),
            clean_session: true,
            keep_alive: 60,
            client_id: format!("x|securemode={secure_mode},signmethod=hmacsha256|").into(),
            username: Some("pump-01&pk".into()),
            password: Some("00".into()),
            ..v3::Connect::default()
        }));
        v3::Codec::default().encode(connect, &mut hello).unwrap();
        hello.extend_from_slice(&[0xC0, 0]);
        stream.write_all(&hello).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(
            answer,
            [0x20, 2, 0, code],
            "{name} securemode={secure_mode}"
        );
        if code == 0 {
            let mut pong = [0; 2];
            stream.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, [0xD0, 0], "what came behind the CONNECT is read");
        }
    }
    bench.house.stop().await;
}
