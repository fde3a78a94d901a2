//! A house with a device log, and words for what is told to it and asked of it.

use alink::MessageId;
use alink::log::{Content, Reason};
use bus::log::Line as _;
use bus::{Bus, Lane, Publisher};
use chassis::{Caller, Noun, Peer};
use device_log::{Config, MIGRATOR};
use proto::hoshu::bus::v1::{DeviceRef, LogBatch, LogEntry, LogLine};
use proto::hoshu::devicelog::v1::device_log_service_client::DeviceLogServiceClient;
use proto::hoshu::devicelog::v1::{Line, ListLogsRequest, ListLogsResponse};
use proto::hoshu::registry::internal::v1 as registry;
use proto::hoshu::registry::internal::v1::session_service_server::{
    SessionService, SessionServiceServer,
};
use testbench::House;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// The product of account `mine`.
pub(crate) const PRODUCT: &str = "a1B2c3D4e5F";
/// The product of another account.
pub(crate) const FOREIGN: &str = "z9Y8x7W6v5U";

pub(crate) struct LogHouse {
    pub(crate) house: House,
    pub(crate) bus: Bus,
    publisher: Publisher<LogBatch>,
    client: DeviceLogServiceClient<Peer>,
    /// UTC milliseconds, the same for the whole test.
    pub(crate) now: i64,
}

impl LogHouse {
    pub(crate) async fn new() -> Self {
        let house = House::migrated(&[(Noun::DeviceLog, &MIGRATOR)]).await;
        let routes = Routes::new(SessionServiceServer::new(TwoProducts));
        house
            .chassis(Noun::Registry)
            .serve(routes)
            .await
            .expect("a registry");
        let log = Self::on(house).await;
        log.start_pod().await;
        log
    }

    async fn on(house: House) -> Self {
        let bus = house.bus().await;
        let api = house.chassis(Noun::Api);
        Self {
            publisher: bus.publisher(),
            client: DeviceLogServiceClient::new(api.peer(Noun::DeviceLog).expect("a way to it")),
            now: house.clock().now_ms(),
            bus,
            house,
        }
    }

    pub(crate) async fn start_pod(&self) {
        let chassis = self.house.chassis(Noun::DeviceLog);
        device_log::start(Config::default(), chassis)
            .await
            .expect("it starts");
    }

    /// Puts entries on the stream, in batches as a service does.
    pub(crate) async fn tell(&self, entries: &[LogEntry]) {
        let mut receipts = Vec::new();
        for entry in entries {
            let device = entry.device.clone().unwrap_or_default();
            let lane = Lane::log(self.bus.partition(&device));
            receipts.push(self.publisher.publish(lane, entry).await);
        }
        for receipt in receipts {
            receipt.durable().await.expect("it is on the stream");
        }
    }

    /// As `tell`, until they are kept.
    pub(crate) async fn keep(&self, entries: &[LogEntry]) {
        self.tell(entries).await;
        self.house.settled(&self.bus).await;
    }

    /// As account `mine`.
    pub(crate) async fn ask(&self, request: ListLogsRequest) -> Result<ListLogsResponse, Status> {
        let caller = Caller {
            account_id: "mine".into(),
            actor: "test".into(),
        };
        let answer = self.client.clone().list_logs(caller.ask(request)).await?;
        Ok(answer.into_inner())
    }

    /// All pages.
    pub(crate) async fn list(&self, mut request: ListLogsRequest) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            let page = self.ask(request.clone()).await.expect("a page");
            lines.extend(page.items);
            match page.next_page_token {
                Some(token) => request.page_token = token,
                None => return lines,
            }
        }
    }
}

pub(crate) fn all() -> ListLogsRequest {
    ListLogsRequest {
        product_key: PRODUCT.into(),
        ..ListLogsRequest::default()
    }
}

/// Contents of lines, in their order.
pub(crate) fn contents(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.content.as_str()).collect()
}

pub(crate) fn id(ms: i64, random: u8) -> MessageId {
    MessageId::at(ms, [random; 10])
}

/// An entry of device `name` of the caller's product.
pub(crate) fn entry(id: MessageId, part: u32, name: &str, lines: Vec<LogLine>) -> LogEntry {
    LogEntry {
        message_id: id.to_bytes().to_vec().into(),
        part,
        device: Some(DeviceRef {
            product_key: PRODUCT.into(),
            device_name: name.into(),
            ..DeviceRef::default()
        }),
        lines,
    }
}

/// An UPSTREAM success; its content tells the topic.
pub(crate) fn up(ms: i64, topic: &str) -> LogLine {
    let content = Content::DevicePublish {
        topic,
        qos: 1,
        protocol_message_id: 7,
    };
    bus::log::line(ms, &content)
}

pub(crate) fn refused(ms: i64, topic: &str) -> LogLine {
    up(ms, topic).because(&Reason::NoAuthorization)
}

pub(crate) fn down(ms: i64) -> LogLine {
    bus::log::line(ms, &Content::PublishToDevice { qos: 1 })
}

pub(crate) fn tsl(ms: i64, code: u32) -> LogLine {
    bus::log::line(ms, &Content::Reported { message: "{}" }).with_code(code)
}

pub(crate) fn online(ms: i64) -> LogLine {
    bus::log::line(ms, &Content::Online)
}

/// A registry that knows whose the two products are.
struct TwoProducts;

#[tonic::async_trait]
impl SessionService for TwoProducts {
    async fn find_products(
        &self,
        request: Request<registry::FindProductsRequest>,
    ) -> Result<Response<registry::FindProductsResponse>, Status> {
        let owner = |key: &str| match key {
            PRODUCT => Some("mine"),
            FOREIGN => Some("theirs"),
            _ => None,
        };
        let products = request
            .into_inner()
            .product_keys
            .into_iter()
            .filter_map(|product_key| {
                Some(registry::ProductFacts {
                    account_id: owner(&product_key)?.into(),
                    product_key,
                    ..registry::ProductFacts::default()
                })
            })
            .collect();
        Ok(Response::new(registry::FindProductsResponse { products }))
    }

    async fn claim_session(
        &self,
        _: Request<registry::ClaimSessionRequest>,
    ) -> Result<Response<registry::ClaimSessionResponse>, Status> {
        Err(Status::unimplemented("no log asks this"))
    }

    async fn release_sessions(
        &self,
        _: Request<registry::ReleaseSessionsRequest>,
    ) -> Result<Response<registry::ReleaseSessionsResponse>, Status> {
        Err(Status::unimplemented("no log asks this"))
    }

    async fn tell_refusals(
        &self,
        _: Request<registry::TellRefusalsRequest>,
    ) -> Result<Response<registry::TellRefusalsResponse>, Status> {
        Err(Status::unimplemented("no log asks this"))
    }

    async fn renew_lease(
        &self,
        _: Request<registry::RenewLeaseRequest>,
    ) -> Result<Response<registry::RenewLeaseResponse>, Status> {
        Err(Status::unimplemented("no log asks this"))
    }

    async fn locate(
        &self,
        _: Request<registry::LocateRequest>,
    ) -> Result<Response<registry::LocateResponse>, Status> {
        Err(Status::unimplemented("no log asks this"))
    }
}
