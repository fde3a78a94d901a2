//! A device that sends and reads MQTT packets one by one.

use std::{net::SocketAddr, num::NonZeroU16, time::Duration};

use bytes::BytesMut;
use rmqtt_codec::{
    types::{Protocol, Publish, QoS},
    v3::{self, Packet},
    v5,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::codec::{Decoder, Encoder};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct Device {
    door: SocketAddr,
    pub name: String,
    pub parameters: String,
    pub clean: bool,
    pub keep_alive: u16,
    pub level: u8,
    pub password: String,
    pub will: Option<v3::LastWill>,
}

impl Device {
    pub fn new(door: SocketAddr, name: &str) -> Self {
        Self {
            door,
            name: name.into(),
            parameters: "securemode=3,signmethod=hmacsha1,ext=1,_ss=1".into(),
            clean: true,
            keep_alive: 60,
            level: 4,
            password: "0011".into(),
            will: None,
        }
    }

    /// One that subscribes by itself, as the Node SDK does.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.parameters = "securemode=3,signmethod=hmacsha1".into();
        self
    }

    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.clean = false;
        self
    }

    #[must_use]
    pub fn at(mut self, door: SocketAddr) -> Self {
        self.door = door;
        self
    }

    /// Connects and returns the CONNACK's code and whether a session was there.
    pub async fn try_connect(&self) -> (Link, v3::ConnectAck) {
        let mut link = Link::open(self.door).await;
        let connect = Packet::Connect(Box::new(v3::Connect {
            protocol: Protocol(self.level),
            clean_session: self.clean,
            keep_alive: self.keep_alive,
            last_will: self.will.clone(),
            client_id: self.client_id().into(),
            username: Some(self.username().into()),
            password: Some(self.password.clone().into()),
            cert: None,
        }));
        let mut bytes = BytesMut::new();
        v3::Codec::default().encode(connect, &mut bytes).unwrap();
        // The codec writes the name of 3.1 with the level of 3.1.1.
        if let Some(name) = bytes.windows(6).position(|window| window == b"MQIsdp") {
            bytes[name + 6] = 3;
        }
        link.send_bytes(&bytes).await;
        match link.next().await {
            Some(Packet::ConnectAck(ack)) => (link, ack),
            other => panic!("no CONNACK but {other:?}"),
        }
    }

    pub async fn connect(&self) -> Link {
        let (link, ack) = self.try_connect().await;
        assert_eq!(ack.return_code, v3::ConnectAckReason::ConnectionAccepted);
        link
    }

    pub fn client_id(&self) -> String {
        format!("pk.{}|{}|", self.name, self.parameters)
    }

    pub fn username(&self) -> String {
        format!("{}&pk", self.name)
    }

    /// Connects with MQTT 5; `change` may alter the CONNECT.
    pub async fn connect_v5(
        &self,
        change: impl FnOnce(&mut v5::Connect),
    ) -> (LinkV5, v5::ConnectAck) {
        let mut connect = v5::Connect {
            clean_start: self.clean,
            keep_alive: self.keep_alive,
            session_expiry_interval_secs: 0,
            auth_method: None,
            auth_data: None,
            request_problem_info: true,
            request_response_info: false,
            receive_max: None,
            topic_alias_max: 0,
            user_properties: Vec::new(),
            max_packet_size: None,
            last_will: None,
            client_id: self.client_id().into(),
            username: Some(self.username().into()),
            password: Some(self.password.clone().into()),
            cert: None,
        };
        change(&mut connect);
        let mut link = LinkV5::open(self.door).await;
        link.send(v5::Packet::Connect(Box::new(connect))).await;
        match link.next().await {
            Some(v5::Packet::ConnectAck(ack)) => (link, *ack),
            other => panic!("no CONNACK but {other:?}"),
        }
    }
}

pub struct Wire<C> {
    pub stream: TcpStream,
    codec: C,
    input: BytesMut,
}

pub type Link = Wire<v3::Codec>;
pub type LinkV5 = Wire<v5::Codec>;

impl<C, P> Wire<C>
where
    C: Default + Decoder<Item = (P, u32)> + Encoder<P>,
    <C as Decoder>::Error: std::fmt::Debug,
    <C as Encoder<P>>::Error: std::fmt::Debug,
{
    pub async fn open(door: SocketAddr) -> Self {
        let stream = TcpStream::connect(door).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            codec: C::default(),
            input: BytesMut::new(),
        }
    }

    pub async fn send(&mut self, packet: P) {
        let mut output = BytesMut::new();
        self.codec.encode(packet, &mut output).unwrap();
        self.send_bytes(&output).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet; nothing when the gateway has closed the connection.
    pub async fn next(&mut self) -> Option<P> {
        let next = async {
            loop {
                if let Some((packet, _)) = self.codec.decode(&mut self.input).unwrap() {
                    return Some(packet);
                }
                if !matches!(self.stream.read_buf(&mut self.input).await, Ok(1..)) {
                    return None;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a packet, or the end")
    }
}

pub fn id(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

pub fn message(topic: &str, packet_id: u16, payload: &[u8]) -> Publish {
    Publish {
        dup: false,
        retain: false,
        qos: if packet_id == 0 {
            QoS::AtMostOnce
        } else {
            QoS::AtLeastOnce
        },
        topic: topic.into(),
        packet_id: NonZeroU16::new(packet_id),
        payload: payload.to_vec().into(),
        properties: None,
    }
}

impl Link {
    /// QoS 0 when the packet id is 0.
    pub async fn publish(&mut self, topic: &str, packet_id: u16, payload: &[u8]) {
        self.send(Packet::Publish(Box::new(message(
            topic, packet_id, payload,
        ))))
        .await;
    }

    pub async fn expect_puback(&mut self, packet_id: u16) {
        assert_eq!(
            self.next().await,
            Some(Packet::PublishAck {
                packet_id: id(packet_id)
            })
        );
    }

    pub async fn subscribe(&mut self, filters: &[&str]) -> Vec<v3::SubscribeReturnCode> {
        let topic_filters = filters
            .iter()
            .map(|filter| ((*filter).into(), QoS::ExactlyOnce))
            .collect();
        self.send(Packet::Subscribe {
            packet_id: id(9),
            topic_filters,
        })
        .await;
        match self.next().await {
            Some(Packet::SubscribeAck { status, .. }) => status,
            other => panic!("no SUBACK but {other:?}"),
        }
    }

    pub async fn expect_publish(&mut self) -> Publish {
        match self.next().await {
            Some(Packet::Publish(publish)) => *publish,
            other => panic!("no PUBLISH but {other:?}"),
        }
    }

    pub async fn acknowledge(&mut self, publish: &Publish) {
        self.send(Packet::PublishAck {
            packet_id: publish.packet_id.unwrap(),
        })
        .await;
    }

    /// Nothing but the answer to a ping: whatever was to come has come.
    pub async fn expect_nothing(&mut self) {
        self.send(Packet::PingRequest).await;
        assert_eq!(self.next().await, Some(Packet::PingResponse));
    }
}
