//! A gateway on a house of the test's own, a registry that knows every device, and devices that
//! speak MQTT packet by packet.

#![allow(dead_code, unreachable_pub)] // each test file uses its part

pub mod device;
pub mod registry;

use std::sync::{Arc, Mutex};

use bus::{Bus, inbox};
use chassis::Noun;
use gateway::{Config, Doors};
use proto::hoshu::bus::v1::{
    DeviceRef, Down, DownBatch, DownOutcome, LogLine, Publish, UpMessage, down::Action,
    log_line::Kind, publish::Answer,
};
use testbench::{House, wait_until};

use self::{device::Device, registry::Registry};

/// A house with one gateway, and all that it has told.
pub struct Bench {
    pub house: House,
    pub bus: Bus,
    pub doors: Doors,
    pub registry: Registry,
    pub ups: Arc<Mutex<Vec<UpMessage>>>,
    pub lines: Arc<Mutex<Vec<LogLine>>>,
    /// Ids of the messages that have lines.
    pub told: Arc<Mutex<Vec<bytes::Bytes>>>,
    data: tempfile::TempDir,
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_owned();
        let house = House::with(&[(Noun::Gateway, &gateway::MIGRATOR)], |settings| {
            settings.data_dir = Some(folder);
        })
        .await;
        let registry = Registry::serve(&house).await;
        let mut config = Config::default();
        set(&mut config);
        let doors = gateway::open(config, house.chassis(Noun::Gateway))
            .await
            .unwrap();
        let bus = house.bus().await;
        let (ups, lines): (Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>) = Default::default();
        let seen = ups.clone();
        bus.consume(inbox::THING_UP, move |messages| {
            seen.lock().unwrap().extend(messages);
            async { Ok(()) }
        });
        let seen = lines.clone();
        let told: Arc<Mutex<Vec<_>>> = Arc::default();
        let ids = told.clone();
        bus.consume(inbox::DEVICELOG, move |entries| {
            let mut ids = ids.lock().unwrap();
            ids.extend(entries.iter().map(|entry| entry.message_id.clone()));
            drop(ids);
            seen.lock()
                .unwrap()
                .extend(entries.into_iter().flat_map(|entry| entry.lines));
            async { Ok(()) }
        });
        Self {
            house,
            bus,
            doors,
            registry,
            ups,
            lines,
            told,
            data,
        }
    }

    /// Another gateway process of the same house.
    pub async fn second_gateway(&self) -> Doors {
        gateway::open(Config::default(), self.house.chassis(Noun::Gateway))
            .await
            .unwrap()
    }

    pub fn device(&self, name: &str) -> Device {
        Device::new(self.doors.mqtt, name)
    }

    pub fn ca(&self) -> Vec<u8> {
        std::fs::read(self.data.path().join("tls/ca.pem")).unwrap()
    }

    pub async fn up(&self, count: usize) -> Vec<UpMessage> {
        wait_until("messages are on UP", || async {
            self.ups.lock().unwrap().len() >= count
        })
        .await;
        self.ups.lock().unwrap().clone()
    }

    /// Lines of one kind, once there are as many.
    pub async fn lines(&self, kind: Kind, count: usize) -> Vec<LogLine> {
        let all = || {
            let lines = self.lines.lock().unwrap();
            lines
                .iter()
                .filter(|line| line.kind() == kind)
                .cloned()
                .collect::<Vec<_>>()
        };
        wait_until("lines are on LOG", || async { all().len() >= count }).await;
        all()
    }

    /// Sends one message to the device wherever it is believed to be.
    pub async fn down(&self, node: Option<&str>, name: &str, publish: Publish) -> DownOutcome {
        self.down_all(node, vec![(name, publish)]).await.remove(0)
    }

    pub async fn down_all(
        &self,
        node: Option<&str>,
        items: Vec<(&str, Publish)>,
    ) -> Vec<DownOutcome> {
        let items = items
            .into_iter()
            .map(|(name, publish)| Down {
                message_id: uuid::Uuid::now_v7().as_bytes().to_vec().into(),
                device: Some(DeviceRef {
                    device_id: registry::id_of(name),
                    ..DeviceRef::default()
                }),
                session: 0,
                action: Some(Action::Publish(publish)),
            })
            .collect();
        self.bus
            .down(node, DownBatch { items })
            .await
            .unwrap()
            .outcomes
    }

    /// The node that holds the device.
    pub fn node_of(&self, name: &str) -> String {
        self.registry
            .node_of(name)
            .expect("the device is connected")
    }
}

pub fn set(name: &str) -> Publish {
    Publish {
        topic: format!("/sys/pk/{name}/thing/service/property/set"),
        payload: br#"{"id":"1","params":{}}"#.to_vec().into(),
        qos: 1,
        answer: Answer::Puback.into(),
        ..Publish::default()
    }
}

pub fn post(name: &str) -> String {
    format!("/sys/pk/{name}/thing/event/property/post")
}
