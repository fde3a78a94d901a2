//! A device's answer to a command, told to the pod that waits for it. A lost one costs delay, never
//! truth: the answer is in the database, where the waiting pod also looks.

use chassis::Phase;
use futures::StreamExt;
use prost::Message;
use proto::hoshu::bus::v1::Answered;

use crate::Bus;

impl Bus {
    /// Tells `node` that a command of its has been answered.
    pub async fn answered(&self, node: &str, answer: &Answered) {
        let subject = self.subject(format_args!("thing.{node}.answered"));
        if let Err(error) = self
            .client()
            .publish(subject, answer.encode_to_vec().into())
            .await
        {
            tracing::warn!(%error, "an answer could not be told");
        }
    }

    /// Hears the answers to this node's commands.
    ///
    /// # Errors
    /// When NATS refuses the subscription.
    pub async fn listen_answered(
        &self,
        handle: impl Fn(Answered) + Send + Sync + 'static,
    ) -> anyhow::Result<()> {
        let subject = self.subject(format_args!("thing.{}.answered", self.chassis().node()));
        let mut answers = self.client().subscribe(subject).await?;
        let stop = self.chassis().stopping(Phase::Inbox);
        self.chassis().track(Phase::Inbox, async move {
            while let Some(Some(message)) = stop.run_until_cancelled(answers.next()).await {
                match Answered::decode(message.payload) {
                    Ok(answer) => handle(answer),
                    Err(error) => tracing::error!(%error, "an unreadable answer"),
                }
            }
        });
        Ok(())
    }
}
