//! The end of a command: answered, not answered in time, or never delivered.

use std::time::Duration;

use alink::log::RrpcCode;
use bus::Receipt;
use chassis::{Phase, Refusal, database_is_away};
use chrono::{DateTime, Utc};
use proto::hoshu::thing::v1::CommandResult;

use super::waiters::Waiter;
use super::{Command, no_answer, written};
use crate::lines::{self, part};
use crate::store::command::{self, Answered};

/// How often the row is looked at in case the word of the answer was lost.
const LOOK: Duration = Duration::from_millis(250);

impl Command {
    /// No answer in time is no failure: many devices never answer a set.
    pub(super) async fn await_async(
        &self,
        waiter: &Waiter,
        sent: DateTime<Utc>,
    ) -> Result<CommandResult, Refusal> {
        let stopping = self.thing.chassis.stopping(Phase::Door);
        let wait = self.answer(waiter, sent + self.order.wait);
        match stopping.run_until_cancelled(wait).await {
            Some(answer) => Ok(self.result(answer?)),
            None => Ok(self.result(None)),
        }
    }

    pub(super) async fn await_sync(
        &self,
        waiter: &Waiter,
        sent: DateTime<Utc>,
        told: &mut Vec<Receipt>,
    ) -> Result<CommandResult, Refusal> {
        let mut answer = self.answer(waiter, sent + self.order.timeout).await?;
        if answer.is_none() && !command::give_up(&self.thing.pool, self.id, self.now()).await? {
            // It came while we gave up.
            answer = command::answered(&self.thing.pool, self.id).await?;
        }
        match answer {
            Some(_) => {
                self.finished(None, told).await;
                Ok(self.result(answer))
            }
            None => {
                self.finished(Some(RrpcCode::Timeout), told).await;
                Err(no_answer(RrpcCode::Timeout))
            }
        }
    }

    /// It was not delivered: nobody waits any more.
    pub(super) async fn fail(
        &self,
        refusal: Refusal,
        told: &mut Vec<Receipt>,
    ) -> Result<CommandResult, Refusal> {
        command::give_up(&self.thing.pool, self.id, self.now()).await?;
        if self.sync {
            let code = match refusal.extra.get("rrpcCode").map(String::as_str) {
                Some("OFFLINE") => RrpcCode::Offline,
                Some("HALFCONN") => RrpcCode::HalfConn,
                _ => RrpcCode::Unknown,
            };
            self.finished(Some(code), told).await;
        }
        Err(refusal)
    }

    async fn answer(
        &self,
        waiter: &Waiter,
        until: DateTime<Utc>,
    ) -> Result<Option<Answered>, Refusal> {
        let clock = self.thing.chassis.clock();
        loop {
            let left = (until - clock.now()).to_std().unwrap_or_default();
            tokio::select! {
                biased;
                answered = waiter.answer() => return Ok(Some(answered)),
                () = clock.sleep(left.min(LOOK)) => {}
            }
            match command::answered(&self.thing.pool, self.id).await {
                Ok(Some(answered)) => return Ok(Some(answered)),
                Ok(None) => {}
                // It was sent all the same: who heard that the store is away would send it again.
                Err(error) if database_is_away(&error) => {}
                Err(error) => return Err(error.into()),
            }
            if clock.now() >= until {
                return Ok(None);
            }
        }
    }

    async fn finished(&self, code: Option<RrpcCode>, told: &mut Vec<Receipt>) {
        let line = lines::rrpc_finished(self.now().timestamp_millis(), code);
        let receipt = self.log(part::FINISHED, vec![line]).await;
        told.push(receipt.clone());
        written(receipt).await;
    }

    fn result(&self, answer: Option<Answered>) -> CommandResult {
        let message_id = self.id.to_string();
        match answer {
            Some(answer) => CommandResult {
                message_id,
                answered: true,
                code: Some(answer.code),
                message: answer.message,
                data: answer.data,
            },
            None => CommandResult {
                message_id,
                ..CommandResult::default()
            },
        }
    }
}
