//! One device: sends its posts, matches PUBACKs and replies to them.

use std::collections::VecDeque;
use std::time::Duration;

use alink::topic::Kind;
use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Tally;
use super::pace::Pace;
use crate::device::Link;
use crate::fleet::Member;
use crate::span::Span;
use crate::wire::{self, Packet};

/// After the span: answers that still come are counted, not measured.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(15);

pub(crate) struct Reporter {
    link: Link,
    topic: String,
    pace: Pace,
    span: Span,
    number: u32,
    waiting: VecDeque<Waiting>,
    out: Vec<u8>,
    tally: Tally,
}

/// A post that is not fully answered.
struct Waiting {
    number: u32,
    since: Instant,
    acknowledged: bool,
    replied: bool,
}

#[derive(Deserialize)]
struct Reply<'a> {
    id: &'a str,
    code: i64,
}

impl Reporter {
    pub(crate) fn new(member: Member, pace: Pace, span: Span) -> Self {
        Self {
            topic: Kind::PropertyPost.topic_of(member.made.device.as_ref()),
            link: member.link,
            pace,
            span,
            number: 0,
            waiting: VecDeque::new(),
            out: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Reports until the span ends and all is answered, or nothing more comes.
    pub(crate) async fn run(mut self) -> anyhow::Result<Tally> {
        let end = self.span.to + LAST_ANSWERS_WITHIN;
        loop {
            let now = Instant::now();
            let over = now >= self.span.to;
            while !over && let Some(since) = self.pace.due(now, self.waiting.len()) {
                self.post(since);
            }
            if !self.out.is_empty() {
                self.link.write(&self.out).await?;
                self.out.clear();
            }
            if over && self.waiting.is_empty() {
                break;
            }
            let wake = if over {
                end
            } else {
                let next = self.pace.wake(now, self.waiting.len());
                next.unwrap_or(self.span.to).min(self.span.to)
            };
            tokio::select! {
                filled = timeout_at(end, self.link.fill()) => match filled {
                    Ok(filled) => filled?,
                    Err(_) => break,
                },
                () = sleep_until(wake) => if wake == end { break },
            }
            self.take_in()?;
        }
        self.link.goodbye().await;
        Ok(self.tally)
    }

    fn post(&mut self, since: Instant) {
        self.number += 1;
        let number = self.number;
        let payload = format!(
            r#"{{"id":"{number}","version":"1.0","params":{{"cycles":{number},"pressure":6.2,"energy":{number}.25,"running":1,"label":"west"}},"method":"thing.event.property.post"}}"#
        );
        wire::publish(
            &mut self.out,
            &self.topic,
            Some(packet_id(number)),
            payload.as_bytes(),
        );
        self.waiting.push_back(Waiting {
            number,
            since,
            acknowledged: false,
            replied: false,
        });
        self.tally.sent += 1;
    }

    fn take_in(&mut self) -> anyhow::Result<()> {
        let inbox = std::mem::take(&mut self.link.inbox);
        let mut taken = 0;
        let now = Instant::now();
        while let Some((packet, length)) = wire::read(&inbox[taken..])? {
            match packet {
                Packet::Puback(id) => self.acknowledged(id, now)?,
                Packet::Publish { packet_id, payload } => {
                    let reply: Reply<'_> = serde_json::from_slice(payload).context("a reply")?;
                    self.replied(&reply, now)?;
                    if let Some(id) = packet_id {
                        wire::puback(&mut self.out, id);
                    }
                }
                _ => {}
            }
            taken += length;
        }
        self.link.inbox = inbox;
        self.link.take(taken);
        while self
            .waiting
            .front()
            .is_some_and(|post| post.acknowledged && post.replied)
        {
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn acknowledged(&mut self, id: u16, now: Instant) -> anyhow::Result<()> {
        let post = self
            .waiting
            .iter_mut()
            .find(|post| packet_id(post.number) == id && !post.acknowledged);
        let post = post.with_context(|| format!("a PUBACK of {id}, which was not sent"))?;
        post.acknowledged = true;
        self.tally.acknowledged += 1;
        if self.span.holds(now) {
            self.tally.puback.note(now - post.since);
        }
        Ok(())
    }

    fn replied(&mut self, reply: &Reply<'_>, now: Instant) -> anyhow::Result<()> {
        let number: u32 = reply.id.parse().context("a reply's id")?;
        // Only the open ones are known: a second reply would be to none of them.
        let post = self.waiting.iter_mut().find(|post| post.number == number);
        let post =
            post.with_context(|| format!("a reply to {number}, which does not wait for one"))?;
        ensure!(!post.replied, "two replies to {number}");
        post.replied = true;
        *self.tally.replies.entry(reply.code).or_default() += 1;
        if self.span.holds(now) && reply.code == 200 {
            self.tally.reply.note(now - post.since);
        }
        Ok(())
    }
}

/// 1 to 65,535, again and again: far more than can be unanswered.
fn packet_id(number: u32) -> u16 {
    ((number - 1) % u32::from(u16::MAX)) as u16 + 1
}
