//! Sets and calls: checked, stored, sent, and waited for.
//!
//! The row in `thing.command` is the truth: whichever pod hears the answer writes it there,
//! and the pod that waits looks there, sooner if it is told. A command that was begun is
//! finished whether or not its caller stays.

use std::time::Duration;

use alink::MessageId;
use bus::{Lane, Receipt};
use chassis::{Caller, Chassis, Fault, Refusal};
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::{DeviceRef, Event, LogEntry, LogLine};
use proto::hoshu::registry::internal::v1::Place;
use proto::hoshu::registry::v1::data_format_kind::DataFormat;
use proto::hoshu::registry::v1::device::Status;
use proto::hoshu::thing::v1::CommandResult;
use serde_json::json;
use thing_model::{CallType, Report};
use tonic::Code;
use uuid::Uuid;

use crate::Thing;
use crate::domain::command::{Asking, Refused, Standing};
use crate::domain::judge::{Said, for_a_line};
use crate::lines::{self, Direction, part};
use crate::store::{self, command::Telling};

mod deliver;
mod finish;
mod unlogged;
mod waiters;

pub(crate) use deliver::CALL_FAILED;
pub(crate) use unlogged::Unlogged;
pub(crate) use waiters::Waiters;

/// How long a command takes beside its waiting, before another pod takes it for a dead one's. Sending may take
/// three questions of 4 s each before the device's own time begins.
const GRACE: Duration = Duration::from_secs(20);

/// What is asked of a device, by whom, and for how long an answer is awaited.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub caller: Caller,
    pub product_key: String,
    pub device_name: String,
    /// Nothing: the properties are set.
    pub service: Option<String>,
    /// A JSON value, when it is not refused.
    pub params: String,
    /// Of a set or an asynchronous call.
    pub wait: Duration,
    /// Of a synchronous call.
    pub timeout: Duration,
}

impl Order {
    fn asking(&self) -> Asking<'_> {
        match &self.service {
            Some(service) => Asking::Call { service },
            None => Asking::Set,
        }
    }
}

/// A command on its way.
struct Command {
    thing: Thing,
    order: Order,
    id: Uuid,
    method: String,
    topic: String,
    device: DeviceRef,
    place: Place,
    sync: bool,
    /// The version that judged it.
    version: Option<u32>,
}

/// Carries an order out, as far as it goes.
pub(crate) async fn run(thing: Thing, order: Order) -> Result<CommandResult, Refusal> {
    let place = thing
        .registry
        .locate(&order.caller, &order.product_key, &order.device_name)
        .await?;
    let raw = place
        .product
        .as_ref()
        .is_some_and(|facts| facts.data_format() == DataFormat::Custom);
    let standing = Standing {
        disabled: place.status() == Status::Disabled,
        activated: place.activated,
        online: place.status() == Status::Online,
        raw,
    };
    let product = thing
        .models
        .get(&order.product_key)
        .await
        .map_err(Refusal::internal)?;
    let asking = order.asking();
    let checked = asking.check(
        &order.params,
        standing,
        product.as_deref(),
        &mut Report::new(),
    );
    let mut command = Command {
        id: new_id(&thing.chassis),
        method: asking.method(),
        topic: deliver::topic(&order),
        device: DeviceRef {
            product_key: order.product_key.clone(),
            device_name: order.device_name.clone(),
            device_id: place.device_id,
            account_id: place.account_id.clone(),
        },
        sync: false,
        version: product.map(|product| product.version),
        place,
        order,
        thing,
    };
    match checked {
        Ok(call_type) => {
            command.sync = call_type == CallType::Sync;
            command.carry_out().await
        }
        Err(refused) => Err(command.refuse(refused).await),
    }
}

impl Command {
    async fn refuse(&self, refused: Refused) -> Refusal {
        let code = refused.code();
        let said = self.said(code, None, refused.faults.clone());
        let receipt = self.log(part::MESSAGE, vec![self.tsl(&said)]).await;
        written(receipt).await;
        let by_state = refused.by_state;
        let faults: Vec<Fault> = refused
            .faults
            .into_iter()
            .map(|fault| {
                Fault::new(format!("/params{}", fault.pointer), fault.message).with_code(fault.code)
            })
            .collect();
        match faults.as_slice() {
            [state] if by_state => Refusal::conflict(state.message.clone()).with_code(code),
            _ => Refusal::faults(faults).with_code(code),
        }
    }

    async fn carry_out(self) -> Result<CommandResult, Refusal> {
        // Before it is sent: the answer may be quicker than we are.
        let waiter = self.thing.waiters.wait(self.id);
        let now = self.now();
        let unlogged_at = now + self.patience();
        let in_hand = self.thing.unlogged.begin(self.id, unlogged_at);
        let ids = self.store(now, unlogged_at).await?;
        let outcome = self.deliver(ids).await;
        let sent = self.now();
        let refusal = deliver::refusal(outcome.as_ref(), self.sync);
        let code = refusal
            .as_ref()
            .map_or(200, |refusal| refusal.code.unwrap_or(deliver::CALL_FAILED));
        let said_id = lines::command_id(ids.wire);
        let message = lines::command(
            sent.timestamp_millis(),
            self.sync,
            &self.topic,
            outcome.as_ref(),
            &self.place.iot_id,
            &self.said(code, Some(&said_id), Vec::new()),
        );
        let mut told = vec![self.log(part::MESSAGE, message).await];
        let result = match refusal {
            Some(refusal) => self.fail(refusal, &mut told).await,
            None if self.sync => self.await_sync(&waiter, sent, &mut told).await,
            None => self.await_async(&waiter, sent).await,
        };
        if let Some(message) = told.first() {
            written(message.clone()).await;
        }
        // A synchronous call has a last line, unless the store was away.
        if told.len() == if self.sync { 2 } else { 1 } {
            in_hand.told(told);
        }
        result
    }

    /// After this another pod takes a command for one whose pod has died.
    fn patience(&self) -> Duration {
        match self.sync {
            true => self.order.timeout + GRACE,
            false => self.order.wait + GRACE,
        }
    }

    async fn store(
        &self,
        now: DateTime<Utc>,
        unlogged_at: DateTime<Utc>,
    ) -> Result<store::command::Ids, Refusal> {
        let expires_at = match self.sync {
            true => unlogged_at,
            false => now + Duration::from_secs(60 * u64::from(self.thing.config.answer_minutes)),
        };
        let new = store::command::New {
            message_id: self.id,
            account_id: &self.device.account_id,
            product_key: &self.device.product_key,
            device_name: &self.device.device_name,
            device_id: self.device.device_id,
            sync: self.sync,
            method: &self.method,
            node: self.thing.chassis.node(),
            made_at: now,
            expires_at,
            telling: Telling {
                topic: &self.topic,
                iot_id: &self.place.iot_id,
                params: &self.order.params,
                version: self.version,
                due_at: unlogged_at,
            },
        };
        let event = self.event(now);
        Ok(store::command::insert(&self.thing.pool, &new, event).await?)
    }

    fn event(&self, now: DateTime<Utc>) -> Event {
        let action = match self.order.service {
            Some(_) => "service.called",
            None => "properties.set",
        };
        let after = json!({ "messageId": self.id, "method": self.method });
        Event {
            account_id: self.device.account_id.clone(),
            actor: self.order.caller.actor.clone(),
            at: now.timestamp_millis(),
            action: action.to_owned(),
            subject: format!(
                "device/{}/{}",
                self.device.product_key, self.device.device_name
            ),
            after: after.to_string(),
            ..Event::default()
        }
    }

    fn said<'a>(
        &'a self,
        code: u32,
        id: Option<&'a str>,
        errors: Vec<thing_model::Fault>,
    ) -> Said<'a> {
        Said {
            code,
            id: id.unwrap_or(alink::envelope::NO_ID).into(),
            method: self.method.clone(),
            // A refused one can be anything.
            params: for_a_line(&self.order.params),
            data: None,
            errors,
            version: self.version,
        }
    }

    fn tsl(&self, said: &Said<'_>) -> LogLine {
        let time = self.now().timestamp_millis();
        lines::tsl(time, Direction::Downstream, &self.place.iot_id, said, None)
    }

    async fn log(&self, part: u32, lines: Vec<LogLine>) -> Receipt {
        let entry = LogEntry {
            message_id: self.id.as_bytes().to_vec().into(),
            part,
            device: Some(self.device.clone()),
            lines,
        };
        let lane = Lane::log(self.thing.bus.partition(&self.device));
        let receipt = self.thing.log.publish(lane, &entry).await;
        // Its caller waits for it.
        self.thing.log.hurry(lane);
        receipt
    }

    fn now(&self) -> DateTime<Utc> {
        self.thing.chassis.clock().now()
    }
}

/// How long a caller waits for the lines of its command to be on their stream.
const LINES_PATIENCE: Duration = Duration::from_secs(2);

/// Waits until a line is on its stream. While NATS is away it is kept, and the caller goes on.
async fn written(receipt: Receipt) {
    let durable = tokio::time::timeout(LINES_PATIENCE, receipt.durable());
    if let Err(error) = durable.await.unwrap_or(Ok(())) {
        tracing::warn!(%error, "a line may not have been written");
    }
}

fn new_id(chassis: &Chassis) -> Uuid {
    let mut random = [0; 10];
    random.copy_from_slice(&Uuid::new_v4().as_bytes()[..10]);
    MessageId::at(chassis.clock().now_ms(), random).uuid()
}

/// Nobody will be able to tell before the deadline of the caller.
fn no_answer(code: alink::log::RrpcCode) -> Refusal {
    Refusal::new(Code::DeadlineExceeded, "Response timeout").with_extra("rrpcCode", code.as_str())
}
