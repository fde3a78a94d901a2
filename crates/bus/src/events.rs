//! Changes, heard as they are told: for caches and live views. A lost one costs delay, never truth.

use chassis::{Noun, Phase};
use futures::StreamExt;
use prost::Message;
use proto::hoshu::bus::v1::Event;

use crate::Bus;

impl Bus {
    /// Hears every change that `noun`'s service tells from now on.
    ///
    /// # Errors
    /// When NATS refuses the subscription.
    pub async fn listen_events(
        &self,
        noun: Noun,
        handle: impl Fn(Event) + Send + Sync + 'static,
    ) -> anyhow::Result<()> {
        let mut events = self
            .client()
            .subscribe(self.subject(format_args!("event.{}.>", noun.word())))
            .await?;
        let stop = self.chassis().stopping(Phase::Inbox);
        self.chassis().track(Phase::Inbox, async move {
            while let Some(Some(message)) = stop.run_until_cancelled(events.next()).await {
                match Event::decode(message.payload) {
                    Ok(event) => handle(event),
                    Err(error) => tracing::error!(%error, "an unreadable event"),
                }
            }
        });
        Ok(())
    }
}
