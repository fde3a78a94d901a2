//! The lines of a group.

use std::collections::HashMap;

use bus::{Lane, Partition, Receipt, Receipts};
use proto::hoshu::bus::v1::{LogEntry, LogLine};
use thing_model::Report;

use super::reply::Sent;
use super::{Item, STRETCH};
use crate::Thing;
use crate::domain::answer::{Question, Standing};
use crate::lines::{self, AnswerNote, Direction, part};

/// Publishes the lines of all items; the receipts tell when the stream has them.
pub(super) async fn write(thing: &Thing, items: &[Item<'_>], sent: &[Option<Sent>]) -> Receipts {
    let now = thing.chassis.clock().now_ms();
    let mut report = Report::new();
    // A lane keeps its order: the last item's receipt stands for all before it.
    let mut receipts: HashMap<Partition, Receipt> = HashMap::new();
    for (number, (item, sent)) in items.iter().zip(sent).enumerate() {
        if number % STRETCH == 0 {
            tokio::task::yield_now().await;
        }
        let entry = entry(item, sent.as_ref(), &mut report, now);
        if entry.lines.is_empty() {
            continue;
        }
        let partition = thing.bus.partition(item.device);
        let receipt = thing.log.publish(Lane::log(partition), &entry).await;
        receipts.insert(partition, receipt);
    }
    receipts.into_values().collect()
}

fn entry(item: &Item<'_>, sent: Option<&Sent>, report: &mut Report, now: i64) -> LogEntry {
    let mut entry = LogEntry {
        message_id: item.message.message_id.clone(),
        part: part::MESSAGE,
        device: Some(item.device.clone()),
        lines: Vec::with_capacity(3),
    };
    if item.message.throttled {
        entry.part = part::REFUSED;
    } else {
        let answer_id = item.asked.is_some().then_some(item.id);
        entry.lines.push(lines::upstream(item.message, answer_id));
    }
    if let Some((asked, _)) = &item.asked {
        entry.message_id = asked.message_id.as_bytes().to_vec().into();
        entry.part = part::answer(item.id);
    }
    entry.lines.extend(tsl(item, report, now));
    if let Some(sent) = sent {
        entry.lines.extend(lines::reply(
            now,
            &sent.topic,
            item.message.qos,
            sent.outcome.as_ref(),
        ));
    }
    entry
}

fn tsl(item: &Item<'_>, report: &mut Report, now: i64) -> Option<LogLine> {
    let iot_id = &item.message.iot_id;
    if let Some(said) = &item.verdict.said {
        return Some(lines::tsl(now, Direction::Upstream, iot_id, said, None));
    }
    let answer = item.verdict.answer.as_ref()?;
    let method = match (&item.asked, &answer.question) {
        (Some((asked, _)), _) => asked.method.as_str(),
        (None, Question::Wire { method, .. }) => method,
        (None, _) => "",
    };
    let note = item.asked.as_ref().map(|(_, standing)| AnswerNote {
        id: item.id,
        late: *standing == Standing::Late,
    });
    let said = answer.said(method, item.product, report);
    Some(lines::tsl(now, Direction::Upstream, iot_id, &said, note))
}
