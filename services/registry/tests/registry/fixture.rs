//! A registry that runs, and short ways to ask it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alink::log::{content_text, reason_text};
use alink::sign::SignMethod;
use bus::{Bus, inbox};
use chassis::{Caller, Chassis, Noun, Peer, Refusal};
use futures::StreamExt;
use prost::Message;
use proto::hoshu::bus::v1::{
    DownBatch, DownOutcome, DownOutcomes, Event, LogEntry, Presence, PresenceBatch,
};
use proto::hoshu::registry::internal::v1::claim_session_response::Verdict;
use proto::hoshu::registry::internal::v1::locate_request::Question;
use proto::hoshu::registry::internal::v1::session_service_client::SessionServiceClient;
use proto::hoshu::registry::internal::v1::{
    ClaimSessionRequest, ClaimSessionResponse, LocateRequest, Place, Release,
    ReleaseSessionsRequest, RenewLeaseRequest, release,
};
use proto::hoshu::registry::v1::registry_service_client::RegistryServiceClient;
use proto::hoshu::registry::v1::{
    CreateDeviceRequest, CreateProductRequest, Device, GetDeviceRequest, Product, data_format_kind,
    device, edition_kind, product,
};
use registry::{Config, MIGRATOR};
use testbench::{House, wait_until};
use tonic::{Code, Status};

pub(crate) struct Registry {
    pub(crate) house: House,
    pub(crate) people: RegistryServiceClient<Peer>,
    pub(crate) services: SessionServiceClient<Peer>,
    pub(crate) bus: Bus,
    entries: Arc<Mutex<Vec<LogEntry>>>,
    events: Arc<Mutex<Vec<Event>>>,
    presence: Arc<Mutex<Vec<Presence>>>,
}

/// A line as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) device: String,
    pub(crate) content: String,
    pub(crate) reason: String,
    pub(crate) failed: bool,
    pub(crate) detail: serde_json::Value,
}

impl Registry {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let house = House::migrated(&[(Noun::Registry, &MIGRATOR)]).await;
        let bus = house.bus().await;
        let entries = Arc::<Mutex<Vec<LogEntry>>>::default();
        let kept = entries.clone();
        bus.consume(inbox::DEVICELOG, move |items| {
            kept.lock().unwrap().extend(items);
            async { Ok(()) }
        });
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let kept = events.clone();
        bus.consume(inbox::API_AUDIT, move |items| {
            kept.lock().unwrap().extend(items);
            async { Ok(()) }
        });
        let presence = hear_presence(&house).await;
        let chassis = house.chassis(Noun::Registry);
        registry::start(config, chassis.clone())
            .await
            .expect("it starts");
        let peer = chassis.peer(Noun::Registry).expect("it is in this process");
        Self {
            people: RegistryServiceClient::new(peer.clone()),
            services: SessionServiceClient::new(peer),
            house,
            bus,
            entries,
            events,
            presence,
        }
    }

    pub(crate) async fn stop(self) {
        self.house.stop().await;
    }

    pub(crate) async fn product(&self) -> Product {
        let request = CreateProductRequest {
            name: "pump".into(),
            node_type: product::NodeType::Device.into(),
            data_format: data_format_kind::DataFormat::AlinkJson.into(),
            edition: edition_kind::Edition::Pro.into(),
        };
        let made = self.people.clone().create_product(me().ask(request)).await;
        made.expect("a product is made").into_inner()
    }

    pub(crate) async fn device_of(&self, product: &Product, name: &str) -> Device {
        let request = CreateDeviceRequest {
            product_key: product.product_key.clone(),
            device_name: Some(name.into()),
        };
        let made = self.people.clone().create_device(me().ask(request)).await;
        made.expect("a device is made").into_inner()
    }

    /// A device of a product of its own.
    pub(crate) async fn device(&self) -> Device {
        let product = self.product().await;
        self.device_of(&product, "pump-1").await
    }

    pub(crate) async fn look(&self, device: &Device) -> Device {
        let request = GetDeviceRequest {
            product_key: device.product_key.clone(),
            device_name: device.device_name.clone(),
        };
        let found = self.people.clone().get_device(me().ask(request)).await;
        found.expect("the device is there").into_inner()
    }

    pub(crate) async fn status(&self, device: &Device) -> device::Status {
        self.look(device).await.status()
    }

    /// Claims with what the device shows: its secret's signature.
    pub(crate) async fn claim(&self, device: &Device, node: &str) -> ClaimSessionResponse {
        let answer = self
            .services
            .clone()
            .claim_session(claim_of(device, node))
            .await;
        answer.expect("an answer").into_inner()
    }

    /// Claims, which must be accepted; the session's number.
    pub(crate) async fn connect(&self, device: &Device, node: &str) -> u64 {
        let answer = self.claim(device, node).await;
        assert_eq!(answer.verdict(), Verdict::Accepted);
        answer
            .session
            .expect("an accepted claim has a session")
            .number
    }

    pub(crate) async fn release(&self, device_id: i64, session: u64, reason: release::Reason) {
        let release = Release {
            device_id,
            session,
            reason: reason.into(),
            detail: "payload is no MQTT".into(),
            at: self.house.clock().now_ms(),
        };
        let request = ReleaseSessionsRequest {
            node: "gateway-1".into(),
            releases: vec![release],
        };
        self.services
            .clone()
            .release_sessions(request)
            .await
            .expect("released");
    }

    pub(crate) async fn renew(&self, node: &str) -> bool {
        let request = RenewLeaseRequest { node: node.into() };
        let answer = self.services.clone().renew_lease(request).await;
        answer.expect("renewed").into_inner().lapsed
    }

    pub(crate) async fn place(&self, device: &Device) -> Option<Place> {
        let request = LocateRequest {
            devices: vec![Question {
                product_key: device.product_key.clone(),
                device_name: device.device_name.clone(),
            }],
        };
        let answer = self
            .services
            .clone()
            .locate(request)
            .await
            .expect("located");
        answer.into_inner().answers.remove(0).place
    }

    /// The lines of a device, each once, oldest first, when there are so many.
    pub(crate) async fn lines(&self, device: &Device, count: usize) -> Vec<Line> {
        let lines = || self.lines_so_far(device);
        wait_until("the lines are told", || async { lines().len() >= count }).await;
        self.house.settled(&self.bus).await;
        let lines = lines();
        assert_eq!(lines.len(), count, "{lines:#?}");
        lines
    }

    fn lines_so_far(&self, device: &Device) -> Vec<Line> {
        let mut entries = self.entries.lock().unwrap().clone();
        entries.retain(|entry| {
            let of = entry.device.as_ref().unwrap();
            of.product_key == device.product_key && of.device_name == device.device_name
        });
        entries.sort_by_key(|entry| (entry.lines[0].time, entry.message_id.clone(), entry.part));
        // Told at least once; the id tells them apart.
        entries.dedup_by_key(|entry| (entry.message_id.clone(), entry.part));
        let lines = entries.iter().flat_map(|entry| {
            entry.lines.iter().map(|line| Line {
                device: entry.device.as_ref().unwrap().device_name.clone(),
                content: content_text(line.content as u16, &line.content_args).unwrap(),
                reason: reason_text(line.reason as u16, &line.reason_args).unwrap_or_default(),
                failed: line.failed,
                detail: serde_json::from_str(&line.detail).unwrap_or_default(),
            })
        });
        lines.collect()
    }

    /// What was told of a change, when it was.
    pub(crate) async fn event(&self, action: &str) -> Event {
        let found = || {
            self.events
                .lock()
                .unwrap()
                .iter()
                .find(|event| event.action == action)
                .cloned()
        };
        wait_until("the change is told", || async { found().is_some() }).await;
        found().unwrap()
    }

    /// Who came and went, by session number, when so many did.
    pub(crate) async fn presence(&self, count: usize) -> Vec<(u64, bool)> {
        let told = || {
            let presence = self.presence.lock().unwrap();
            let mut told: Vec<_> = presence
                .iter()
                .map(|item| (item.session, item.online))
                .collect();
            told.sort_by_key(|(session, online)| (*session, !online));
            told.dedup();
            told
        };
        wait_until("presence is told", || async { told().len() >= count }).await;
        told()
    }

    /// A gateway node that notes what it is told to deliver.
    pub(crate) async fn gateway(&self) -> Gateway {
        let chassis = self.house.chassis(Noun::Gateway);
        let bus = Bus::connect(&chassis).await.unwrap();
        let told = Arc::<Mutex<Vec<DownBatch>>>::default();
        let kept = told.clone();
        let handle = move |_, batch: DownBatch| {
            let outcomes = vec![DownOutcome::default(); batch.items.len()];
            kept.lock().unwrap().push(batch);
            async { DownOutcomes { outcomes } }
        };
        bus.serve_down(handle).await.unwrap();
        Gateway { chassis, told }
    }
}

pub(crate) struct Gateway {
    chassis: Chassis,
    pub(crate) told: Arc<Mutex<Vec<DownBatch>>>,
}

impl Gateway {
    pub(crate) fn node(&self) -> &str {
        self.chassis.node()
    }

    /// Why it was told to close connections, and of which sessions.
    pub(crate) async fn closings(&self, count: usize) -> Vec<(u64, i32)> {
        use proto::hoshu::bus::v1::down::Action;
        let closings = || {
            let told = self.told.lock().unwrap();
            let items = told.iter().flat_map(|batch| &batch.items);
            let closings = items.filter_map(|item| match &item.action {
                Some(Action::Close(close)) => Some((item.session, close.why)),
                _ => None,
            });
            closings.collect::<Vec<_>>()
        };
        wait_until("connections are closed", || async {
            closings().len() >= count
        })
        .await;
        closings()
    }
}

/// Nobody consumes PRESENCE yet: its subjects are listened to.
async fn hear_presence(house: &House) -> Arc<Mutex<Vec<Presence>>> {
    let chassis = house.chassis(Noun::OnlineDebug);
    let settings = chassis.settings();
    let client = async_nats::connect(settings.nats_url.expose())
        .await
        .unwrap();
    let subject = format!("{}.presence.>", settings.nats_prefix);
    let mut messages = client.subscribe(subject).await.unwrap();
    client.flush().await.unwrap();
    let presence = Arc::<Mutex<Vec<Presence>>>::default();
    let kept = presence.clone();
    let stop = chassis.stopping(chassis::Phase::Door);
    chassis.track(chassis::Phase::Door, async move {
        while let Some(Some(message)) = stop.run_until_cancelled(messages.next()).await {
            let batch = PresenceBatch::decode(message.payload).unwrap();
            kept.lock().unwrap().extend(batch.items);
        }
    });
    presence
}

pub(crate) fn claim_of(device: &Device, node: &str) -> ClaimSessionRequest {
    signed(device, node, device.device_secret())
}

pub(crate) fn signed(device: &Device, node: &str, secret: &str) -> ClaimSessionRequest {
    let content = format!(
        "clientIdxdeviceName{}productKey{}",
        device.device_name, device.product_key
    );
    ClaimSessionRequest {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
        sign_method: "hmacsha256".into(),
        signature: SignMethod::HmacSha256.sign(secret, &content).into_bytes(),
        signed_content: content,
        node: node.into(),
        client_address: "192.0.2.1:4711".into(),
        protocol: "mqtt 3.1.1".into(),
    }
}

pub(crate) fn me() -> Caller {
    Caller {
        account_id: "acme".into(),
        actor: "ana/console".into(),
    }
}

pub(crate) fn stranger() -> Caller {
    Caller {
        account_id: "other".into(),
        actor: "mallory/token".into(),
    }
}

/// The refusal's kind and the pointers that it names.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, Vec<String>) {
    let refusal = Refusal::from(result.expect_err("it is refused"));
    let pointers = refusal
        .errors
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    (refusal.kind, pointers)
}

pub(crate) const LEASE: Duration = Duration::from_secs(15);
