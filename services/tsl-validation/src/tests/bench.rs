//! A house in which a test plays the registry, the gateway node and the log.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use bus::{Bus, Lane, Publisher};
use chassis::{Caller, Noun};
use proto::hoshu::bus::v1::*;
use proto::hoshu::registry::internal::v1::session_service_server::{
    SessionService, SessionServiceServer,
};
use proto::hoshu::registry::internal::v1::*;
use proto::hoshu::registry::v1::data_format_kind::DataFormat;
use proto::hoshu::registry::v1::device::Status as DeviceStatus;
use proto::hoshu::registry::v1::edition_kind::Edition;
use proto::hoshu::thing::v1::thing_service_client::ThingServiceClient;
use proto::hoshu::thing::v1::*;
use serde_json::Value;
use testbench::{House, wait_until};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{Config, MIGRATOR, Thing};

pub(super) const ACCOUNT: &str = "acme";
pub(super) const PRODUCT: &str = "a1B2c3D4e5F";
pub(super) const BASIC: &str = "basicProduct";
pub(super) const RAW: &str = "rawProduct";

pub(super) const BOILER: &str = r#"{"properties":[
    {"identifier":"pressure","name":"Pressure","accessMode":"r","required":false,"dataType":{"type":"float","specs":{"min":"0","max":"16"}}},
    {"identifier":"setpoint","name":"Set","accessMode":"rw","required":false,"dataType":{"type":"float","specs":{"min":"1","max":"12"}}}],
  "events":[
    {"identifier":"OverPressure","name":"Over","type":"alert","required":false,"outputData":[
        {"identifier":"peak","name":"Peak","dataType":{"type":"float","specs":{"min":"0","max":"40"}}}]}],
  "services":[
    {"identifier":"Purge","name":"Purge","callType":"async","required":false,"inputData":[
        {"identifier":"seconds","name":"s","required":true,"dataType":{"type":"int","specs":{"min":"1","max":"600"}}}],"outputData":[]},
    {"identifier":"SelfTest","name":"Test","callType":"sync","required":false,"inputData":[],"outputData":[
        {"identifier":"ok","name":"ok","dataType":{"type":"bool","specs":{"0":"no","1":"yes"}}}]}]}"#;

/// What the gateway makes of a message to a device; tests change it.
type Gateway = dyn Fn(&Down) -> DownOutcome + Send + Sync;

pub(super) struct Bench {
    pub(super) house: House,
    pub(super) gateway: Bus,
    pub(super) registry: Registry,
    node: String,
    up: Publisher<UpBatch>,
    outcome: Arc<Mutex<Arc<Gateway>>>,
    sent: Arc<Mutex<Vec<Down>>>,
    lines: Arc<Mutex<HashMap<(Uuid, u32), LogEntry>>>,
}

/// A device that the registry knows.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) product_key: &'static str,
    pub(super) device_name: &'static str,
    pub(super) device_id: i64,
}

pub(super) const BOILER_1: Device = Device {
    product_key: PRODUCT,
    device_name: "boiler_01",
    device_id: 1,
};
pub(super) const BOILER_2: Device = Device {
    product_key: PRODUCT,
    device_name: "boiler_02",
    device_id: 2,
};
pub(super) const METER: Device = Device {
    product_key: BASIC,
    device_name: "meter_01",
    device_id: 3,
};
pub(super) const SENSOR: Device = Device {
    product_key: RAW,
    device_name: "sensor_01",
    device_id: 4,
};

impl Bench {
    /// With no pod yet.
    pub(super) async fn empty() -> Self {
        let house = House::migrated(&[(Noun::Thing, &MIGRATOR)]).await;
        let chassis = house.chassis(Noun::Gateway);
        let gateway = Bus::connect(&chassis).await.expect("NATS is there");
        let registry = Registry::new(chassis.node().to_owned());
        let door = SessionServiceServer::new(registry.clone());
        house
            .chassis(Noun::Registry)
            .serve(Routes::new(door))
            .await
            .expect("a door");
        let outcome: Arc<Gateway> = Arc::new(|down| outcome(down, down_outcome::Kind::Written));
        let bench = Self {
            up: gateway.publisher(),
            outcome: Arc::new(Mutex::new(outcome)),
            sent: Arc::default(),
            lines: Arc::default(),
            house,
            node: chassis.node().to_owned(),
            gateway,
            registry,
        };
        bench.play_gateway(&bench.gateway).await;
        bench.play_log().await;
        bench
    }

    /// With one pod, and the boiler's model published.
    pub(super) async fn new() -> Self {
        let bench = Self::empty().await;
        crate::start(Config::default(), bench.house.chassis(Noun::Thing))
            .await
            .expect("it starts");
        bench.publish(BOILER).await;
        bench
    }

    /// A pod whose doors the test opens one by one.
    pub(super) async fn pod(&self) -> Thing {
        Thing::new(Config::default(), self.house.chassis(Noun::Thing))
            .await
            .expect("it starts")
    }

    pub(super) fn client(&self) -> ThingServiceClient<chassis::Peer> {
        let peer = self
            .house
            .chassis(Noun::Api)
            .peer(Noun::Thing)
            .expect("a peer");
        ThingServiceClient::new(peer)
    }

    pub(super) async fn publish(&self, document: &str) -> u32 {
        let put = PutThingModelRequest {
            product_key: PRODUCT.into(),
            document: document.into(),
        };
        self.client()
            .put_thing_model(caller().ask(put))
            .await
            .expect("a good document");
        let publish = PublishThingModelRequest {
            product_key: PRODUCT.into(),
        };
        let done = self
            .client()
            .publish_thing_model(caller().ask(publish))
            .await;
        done.expect("it is published").into_inner().version
    }

    /// Sends a message as a gateway would; says its id.
    pub(super) async fn says(&self, device: &Device, path: &str, payload: &str) -> Uuid {
        let message = self.message(device, path, payload);
        let id = Uuid::from_slice(&message.message_id).expect("an id");
        self.tell(&message).await;
        id
    }

    pub(super) fn message(&self, device: &Device, path: &str, payload: &str) -> UpMessage {
        let id = alink::MessageId::at(self.house.clock().now_ms(), random());
        let Device {
            product_key,
            device_name,
            ..
        } = device;
        UpMessage {
            message_id: id.to_bytes().to_vec().into(),
            device: Some(device.reference()),
            topic: match path.strip_prefix("/ext") {
                Some(_) => path.to_owned(),
                None => format!("/sys/{product_key}/{device_name}/{path}"),
            },
            payload: payload.as_bytes().to_vec().into(),
            qos: 1,
            packet_id: 7,
            received_at: self.house.clock().now_ms(),
            edition: edition(product_key).into(),
            data_format: data_format(product_key).into(),
            node: self.node.clone(),
            session: 5,
            throttled: false,
            iot_id: "iot-1".into(),
        }
    }

    pub(super) async fn tell(&self, message: &UpMessage) {
        let device = message.device.as_ref().expect("a device");
        let lane = Lane::up(Noun::Thing, self.gateway.partition(device));
        self.up
            .publish(lane, message)
            .await
            .durable()
            .await
            .expect("it is on the stream");
    }

    /// How messages to devices end from now on.
    pub(super) fn deliver(&self, outcome: impl Fn(&Down) -> DownOutcome + Send + Sync + 'static) {
        *self.outcome.lock().unwrap() = Arc::new(outcome);
    }

    /// Another gateway node; says its name.
    pub(super) async fn second_gateway(&self) -> String {
        let chassis = self.house.chassis(Noun::Gateway);
        let bus = Bus::connect(&chassis).await.expect("NATS is there");
        self.play_gateway(&bus).await;
        chassis.node().to_owned()
    }

    async fn play_gateway(&self, bus: &Bus) {
        let (decide, sent) = (self.outcome.clone(), self.sent.clone());
        let handle = move |_, batch: DownBatch| {
            let decide = decide.lock().unwrap().clone();
            let outcomes = batch.items.iter().map(|down| decide(down)).collect();
            sent.lock().unwrap().extend(batch.items);
            async move { DownOutcomes { outcomes } }
        };
        bus.serve_down(handle).await.expect("it listens");
    }

    async fn play_log(&self) {
        let bus = Bus::connect(&self.house.chassis(Noun::DeviceLog))
            .await
            .expect("NATS is there");
        let lines = self.lines.clone();
        bus.consume(bus::inbox::DEVICELOG, move |entries: Vec<LogEntry>| {
            let mut lines = lines.lock().unwrap();
            for entry in entries {
                let id = Uuid::from_slice(&entry.message_id).expect("an id");
                lines.entry((id, entry.part)).or_insert(entry);
            }
            std::future::ready(Ok(()))
        });
        // So that the streams settle.
        bus.consume(bus::inbox::API_AUDIT, |_| std::future::ready(Ok(())));
    }

    pub(super) async fn settled(&self) {
        self.house.settled(&self.gateway).await;
    }

    /// Everything that was sent to devices, as topic and payload.
    pub(super) fn sent(&self) -> Vec<(String, Value)> {
        let sent = self.sent.lock().unwrap();
        sent.iter()
            .map(|down| (publish(down).topic.clone(), payload(down)))
            .collect()
    }

    pub(super) async fn until_sent(&self, what: &str) -> Down {
        wait_until(&format!("{what} is sent"), || async {
            self.find_sent(what).is_some()
        })
        .await;
        self.find_sent(what).expect("it was sent")
    }

    fn find_sent(&self, what: &str) -> Option<Down> {
        let sent = self.sent.lock().unwrap();
        sent.iter()
            .find(|down| publish(down).topic.contains(what))
            .cloned()
    }

    /// The lines of a message in the order of their emitters: kind, code, whether it failed.
    pub(super) fn lines(&self, id: Uuid) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap();
        let mut entries: Vec<_> = lines.iter().filter(|((of, _), _)| *of == id).collect();
        entries.sort_by_key(|((_, part), _)| *part);
        entries
            .into_iter()
            .flat_map(|(_, entry)| entry.lines.clone())
            .collect()
    }

    pub(super) fn kinds(&self, id: Uuid) -> Vec<log_line::Kind> {
        self.lines(id).iter().map(LogLine::kind).collect()
    }

    pub(super) async fn until_lines(&self, id: Uuid, count: usize) {
        wait_until("the lines are written", || async {
            self.lines(id).len() >= count
        })
        .await;
    }

    /// Ids of all messages that have lines.
    pub(super) fn logged(&self) -> Vec<Uuid> {
        let lines = self.lines.lock().unwrap();
        let mut ids: Vec<_> = lines.keys().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Latest values: identifier and JSON.
    pub(super) async fn properties(&self, device: &Device) -> Vec<(String, String)> {
        let request = ListPropertiesRequest {
            product_key: device.product_key.into(),
            device_name: device.device_name.into(),
        };
        let items = self.client().list_properties(caller().ask(request)).await;
        let items = items.expect("they are read").into_inner().items;
        items
            .into_iter()
            .map(|item| (item.identifier, item.value))
            .collect()
    }

    pub(super) async fn events(&self, device: &Device) -> Vec<proto::hoshu::thing::v1::Event> {
        let request = ListEventsRequest {
            product_key: device.product_key.into(),
            device_name: device.device_name.into(),
            ..ListEventsRequest::default()
        };
        let items = self.client().list_events(caller().ask(request)).await;
        items.expect("they are read").into_inner().items
    }

    pub(super) async fn stop(self) {
        self.house.stop().await;
    }
}

/// Runs a test on a bench with one pod.
pub(super) async fn with_pod<Fut: Future<Output = Bench>>(test: impl FnOnce(Bench) -> Fut) {
    test(Bench::new().await).await.stop().await;
}

impl Device {
    pub(super) fn reference(&self) -> DeviceRef {
        DeviceRef {
            product_key: self.product_key.into(),
            device_name: self.device_name.into(),
            device_id: self.device_id,
            account_id: ACCOUNT.into(),
        }
    }
}

pub(super) fn caller() -> Caller {
    Caller {
        account_id: ACCOUNT.into(),
        actor: "tester".into(),
    }
}

pub(super) fn outcome(down: &Down, kind: down_outcome::Kind) -> DownOutcome {
    let Publish { topic, qos, .. } = publish(down).clone();
    DownOutcome {
        kind: kind.into(),
        topic,
        qos,
        ..DownOutcome::default()
    }
}

pub(super) fn publish(down: &Down) -> &Publish {
    match &down.action {
        Some(down::Action::Publish(publish)) => publish,
        other => panic!("{other:?} is no publish"),
    }
}

pub(super) fn payload(down: &Down) -> Value {
    serde_json::from_slice(&publish(down).payload).expect("we send JSON")
}

pub(super) fn random() -> [u8; 10] {
    Uuid::new_v4().as_bytes()[..10]
        .try_into()
        .expect("ten bytes")
}

fn edition(product_key: &str) -> Edition {
    if product_key == BASIC {
        Edition::Basic
    } else {
        Edition::Pro
    }
}

fn data_format(product_key: &str) -> DataFormat {
    if product_key == RAW {
        DataFormat::Custom
    } else {
        DataFormat::AlinkJson
    }
}

type Change = Box<dyn FnOnce(&mut Place) + Send>;

/// Knows three products of one account, and their devices.
#[derive(Clone)]
pub(super) struct Registry {
    places: Arc<Mutex<HashMap<&'static str, Place>>>,
    next: Arc<Mutex<Vec<(&'static str, Change)>>>,
}

impl Registry {
    fn new(node: String) -> Self {
        let devices = [BOILER_1, BOILER_2, METER, SENSOR];
        let places = devices.iter().map(|device| {
            let place = Place {
                account_id: ACCOUNT.into(),
                device_id: device.device_id,
                iot_id: format!("iot-{}", device.device_id),
                status: DeviceStatus::Online.into(),
                node: node.clone(),
                session: 5,
                activated: true,
                product: Some(facts(device.product_key)),
            };
            (device.device_name, place)
        });
        Self {
            places: Arc::new(Mutex::new(places.collect())),
            next: Arc::default(),
        }
    }

    /// Changes as soon as somebody was told where devices are.
    pub(super) fn change_after_an_answer(
        &self,
        device: &Device,
        change: impl FnOnce(&mut Place) + Send + 'static,
    ) {
        let change = (device.device_name, Box::new(change) as Change);
        self.next.lock().unwrap().push(change);
    }

    pub(super) fn change(&self, device: &Device, change: impl FnOnce(&mut Place)) {
        change(
            self.places
                .lock()
                .unwrap()
                .get_mut(device.device_name)
                .expect("it is known"),
        );
    }
}

fn facts(product_key: &str) -> ProductFacts {
    ProductFacts {
        product_key: product_key.into(),
        account_id: ACCOUNT.into(),
        data_format: data_format(product_key).into(),
        edition: edition(product_key).into(),
        ..ProductFacts::default()
    }
}

#[tonic::async_trait]
impl SessionService for Registry {
    async fn locate(
        &self,
        request: Request<LocateRequest>,
    ) -> Result<Response<LocateResponse>, Status> {
        let mut places = self.places.lock().unwrap();
        let devices = request.into_inner().devices;
        let answers = devices.iter().map(|device| {
            let place = places.get(device.device_name.as_str()).cloned();
            let of_product = |place: &Place| {
                place
                    .product
                    .as_ref()
                    .is_some_and(|facts| facts.product_key == device.product_key)
            };
            locate_response::Answer {
                place: place.filter(of_product),
            }
        });
        let answer = LocateResponse {
            answers: answers.collect(),
        };
        for (device_name, change) in self.next.lock().unwrap().drain(..) {
            change(places.get_mut(device_name).expect("it is known"));
        }
        Ok(Response::new(answer))
    }

    async fn find_products(
        &self,
        request: Request<FindProductsRequest>,
    ) -> Result<Response<FindProductsResponse>, Status> {
        let known = [PRODUCT, BASIC, RAW];
        let keys = request.into_inner().product_keys;
        let products = keys
            .iter()
            .filter(|key| known.contains(&key.as_str()))
            .map(|key| facts(key));
        Ok(Response::new(FindProductsResponse {
            products: products.collect(),
        }))
    }

    async fn claim_session(
        &self,
        _: Request<ClaimSessionRequest>,
    ) -> Result<Response<ClaimSessionResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn release_sessions(
        &self,
        _: Request<ReleaseSessionsRequest>,
    ) -> Result<Response<ReleaseSessionsResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn tell_refusals(
        &self,
        _: Request<TellRefusalsRequest>,
    ) -> Result<Response<TellRefusalsResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn renew_lease(
        &self,
        _: Request<RenewLeaseRequest>,
    ) -> Result<Response<RenewLeaseResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }
}
