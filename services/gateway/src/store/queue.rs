//! Messages kept for devices that are away, or that did not acknowledge them.

use std::{collections::HashMap, num::NonZeroU16};

use bytes::Bytes;
use proto::hoshu::bus::v1::{Publish, down_outcome::Kind};
use sqlx::PgConnection;

use super::{Store, at, session::filters};
use crate::domain::{rrpc, subscriptions::Subscriptions};

/// A QoS 1 message that outlives a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its row, if it has one.
    pub(crate) stored: Option<i64>,
    /// It went out before: the next time with DUP.
    pub(crate) was_sent: bool,
    /// The packet id that it had then, and has the next time.
    pub(crate) packet_id: Option<NonZeroU16>,
    pub(crate) message_id: Bytes,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// UTC milliseconds.
    pub(crate) expires_at: i64,
}

/// A message for a device that nobody holds.
#[derive(Debug)]
pub(crate) struct Offline {
    pub(crate) device_id: i64,
    pub(crate) message_id: Bytes,
    pub(crate) publish: Publish,
    pub(crate) expires_at: i64,
}

impl Offline {
    fn kept(&self, topic: String) -> Kept {
        Kept {
            stored: None,
            was_sent: false,
            packet_id: None,
            message_id: self.message_id.clone(),
            topic,
            payload: self.publish.payload.clone(),
            expires_at: self.expires_at,
        }
    }
}

struct Absent {
    subscriptions: Subscriptions,
    understands_ext: bool,
    waiting: i64,
}

impl Absent {
    /// The topic on which the message is kept, or why it is not.
    fn keeps(&self, publish: &Publish, limit: u16) -> Result<String, Kind> {
        let topic = match publish.rrpc_id {
            0 => Some(publish.topic.clone()),
            id => rrpc::topic(&publish.topic, id, self.understands_ext),
        };
        let topic = topic.ok_or(Kind::NotSubscribed)?;
        match self
            .subscriptions
            .qos_of(&topic)
            .map(|granted| publish.qos.min(granted.into()))
        {
            None => Err(Kind::NotSubscribed),
            // QoS 0 is never kept.
            Some(0) => Err(Kind::NotConnected),
            Some(_) if self.waiting >= i64::from(limit) => Err(Kind::TooManyUnacknowledged),
            Some(_) => Ok(topic),
        }
    }
}

#[derive(Default)]
struct Rows {
    devices: Vec<i64>,
    message_ids: Vec<Vec<u8>>,
    topics: Vec<String>,
    payloads: Vec<Vec<u8>>,
    sent: Vec<bool>,
    packet_ids: Vec<i32>,
    expiries: Vec<chrono::DateTime<chrono::Utc>>,
}

impl Rows {
    fn push(&mut self, device_id: i64, kept: &Kept) {
        self.devices.push(device_id);
        self.message_ids.push(kept.message_id.to_vec());
        self.topics.push(kept.topic.clone());
        self.payloads.push(kept.payload.to_vec());
        self.sent.push(kept.was_sent);
        self.packet_ids.push(number(kept.packet_id));
        self.expiries.push(at(kept.expires_at));
    }

    /// Only for devices whose session is still there.
    async fn insert(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO gateway.message (device_id, message_id, topic, payload, was_sent, packet_id, expires_at)
             SELECT device_id, message_id, topic, payload, was_sent, packet_id, new.expires_at
             FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bytea[], $5::boolean[], $6::integer[], $7::timestamptz[])
               WITH ORDINALITY AS new (device_id, message_id, topic, payload, was_sent, packet_id, expires_at, place)
             JOIN gateway.session USING (device_id)
             ORDER BY place",
            &self.devices,
            &self.message_ids,
            &self.topics,
            &self.payloads,
            &self.sent,
            &self.packet_ids,
            &self.expiries,
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Keeps messages for devices with a session; tells of each whether it is.
    pub(crate) async fn keep(&self, messages: &[Offline], now: i64) -> anyhow::Result<Vec<Kind>> {
        let devices: Vec<i64> = messages.iter().map(|message| message.device_id).collect();
        let mut tx = self.pool.begin().await?;
        let mut absent = absent(&mut tx, &devices, now).await?;
        let mut rows = Rows::default();
        let mut kinds = Vec::with_capacity(messages.len());
        for message in messages {
            kinds.push(match absent.get_mut(&message.device_id) {
                None => Kind::NotConnected,
                Some(device) => match device.keeps(&message.publish, self.offline_messages) {
                    Err(kind) => kind,
                    Ok(topic) => {
                        device.waiting += 1;
                        rows.push(message.device_id, &message.kept(topic));
                        Kind::Queued
                    }
                },
            });
        }
        rows.insert(&mut tx).await?;
        tx.commit().await?;
        Ok(kinds)
    }
}

async fn absent(
    connection: &mut PgConnection,
    devices: &[i64],
    now: i64,
) -> sqlx::Result<HashMap<i64, Absent>> {
    let rows = sqlx::query!(
        r#"SELECT device_id, automatic, understands_ext, filters, qos,
                  (SELECT count(*) FROM gateway.message WHERE message.device_id = session.device_id) AS "waiting!"
           FROM gateway.session WHERE device_id = ANY($1) AND expires_at > $2"#,
        devices,
        at(now),
    )
    .fetch_all(connection)
    .await?;
    let absent = rows.into_iter().map(|row| {
        let subscriptions = Subscriptions::new(row.automatic, filters(row.filters, &row.qos));
        let absent = Absent {
            subscriptions,
            understands_ext: row.understands_ext,
            waiting: row.waiting,
        };
        (row.device_id, absent)
    });
    Ok(absent.collect())
}

/// What waits for a device, oldest first.
pub(super) async fn of_device(
    connection: &mut PgConnection,
    device_id: i64,
    now: i64,
) -> sqlx::Result<Vec<Kept>> {
    let rows = sqlx::query!(
        "SELECT id, message_id, topic, payload, was_sent, packet_id, expires_at FROM gateway.message
         WHERE device_id = $1 AND expires_at > $2 ORDER BY id",
        device_id,
        at(now),
    )
    .fetch_all(connection)
    .await?;
    let kept = rows.into_iter().map(|row| Kept {
        stored: Some(row.id),
        was_sent: row.was_sent,
        packet_id: u16::try_from(row.packet_id).ok().and_then(NonZeroU16::new),
        message_id: row.message_id.into(),
        topic: row.topic,
        payload: row.payload.into(),
        expires_at: row.expires_at.timestamp_millis(),
    });
    Ok(kept.collect())
}

/// Keeps what a device has not acknowledged; what was stored before is marked only.
pub(super) async fn put_back(
    connection: &mut PgConnection,
    device_id: i64,
    messages: &[Kept],
) -> sqlx::Result<()> {
    let (sent, packet_ids): (Vec<i64>, Vec<i32>) = messages
        .iter()
        .filter(|kept| kept.was_sent)
        .filter_map(|kept| Some((kept.stored?, number(kept.packet_id))))
        .unzip();
    if !sent.is_empty() {
        sqlx::query!(
            "UPDATE gateway.message SET was_sent = true, packet_id = sent.packet_id
             FROM unnest($1::bigint[], $2::integer[]) AS sent (id, packet_id) WHERE message.id = sent.id",
            &sent,
            &packet_ids,
        )
        .execute(&mut *connection)
        .await?;
    }
    let mut rows = Rows::default();
    for kept in messages.iter().filter(|kept| kept.stored.is_none()) {
        rows.push(device_id, kept);
    }
    if rows.devices.is_empty() {
        Ok(())
    } else {
        rows.insert(connection).await
    }
}

/// As it is stored: 0 is no packet id in MQTT.
fn number(packet_id: Option<NonZeroU16>) -> i32 {
    packet_id.map_or(0, |id| id.get().into())
}
