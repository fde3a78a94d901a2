//! Whose answer it is, and whether it still counts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What an answer names as its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The id of an asynchronous request and the method of the topic that it was answered on.
    Wire { id: u32, method: String },
    /// The id in a synchronous call's topic.
    Rrpc { id: u64 },
    /// None that can be ours.
    Unreadable,
}

impl Question {
    /// As it is stored; 0: it names none.
    pub(crate) fn wire_id(&self) -> i64 {
        match self {
            Question::Wire { id, .. } => i64::from(*id),
            Question::Rrpc { .. } | Question::Unreadable => 0,
        }
    }

    /// As it is stored; 0: it names none.
    pub(crate) fn rrpc_id(&self) -> i64 {
        match self {
            Question::Rrpc { id } => i64::try_from(*id).unwrap_or(0),
            Question::Wire { .. } | Question::Unreadable => 0,
        }
    }

    /// Empty beside the id of a synchronous call, which needs none.
    pub(crate) fn method(&self) -> &str {
        match self {
            Question::Wire { method, .. } => method,
            Question::Rrpc { .. } | Question::Unreadable => "",
        }
    }
}

/// A request that was sent, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub message_id: Uuid,
    pub device_id: i64,
    pub wire_id: u32,
    pub rrpc_id: Option<u64>,
    pub method: String,
    /// The pod that waits.
    pub node: String,
    pub ended_at: Option<DateTime<Utc>>,
    pub answer_id: Option<Uuid>,
}

/// How an answer stands to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It answers.
    First,
    /// It has answered before: delivered again.
    Again,
    /// Another has answered, or nobody waits any more: it is logged and dropped.
    Late,
}

impl Asked {
    /// Whether the device `device_id` answers this request with `question`.
    /// A wire id alone is not enough: a set's answer on a service's topic is foreign.
    pub(crate) fn is_asked_by(&self, device_id: i64, question: &Question) -> bool {
        self.device_id == device_id
            && match question {
                Question::Wire { id, method } => self.wire_id == *id && self.method == *method,
                Question::Rrpc { id } => self.rrpc_id == Some(*id),
                Question::Unreadable => false,
            }
    }

    pub(crate) fn standing(&self, answer_id: Uuid) -> Standing {
        match self.answer_id {
            Some(known) if known == answer_id => Standing::Again,
            _ if self.ended_at.is_some() => Standing::Late,
            _ => Standing::First,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            message_id: Uuid::from_u128(1),
            device_id: 7,
            wire_id: 81,
            rrpc_id: Some(5),
            method: "thing.service.Purge".into(),
            node: "thing-1".into(),
            ended_at: None,
            answer_id: None,
        }
    }

    #[test]
    fn only_the_devices_own_answer_to_this_very_request_is_its_answer() {
        let wire = |id, method: &str| Question::Wire {
            id,
            method: method.into(),
        };
        let rows = [
            (7, wire(81, "thing.service.Purge"), true),
            (7, wire(81, "thing.service.property.set"), false),
            (7, wire(82, "thing.service.Purge"), false),
            (8, wire(81, "thing.service.Purge"), false),
            (7, Question::Rrpc { id: 5 }, true),
            (8, Question::Rrpc { id: 5 }, false),
            (7, Question::Rrpc { id: 6 }, false),
            (7, Question::Unreadable, false),
        ];
        for (device, question, answers) in rows {
            assert_eq!(
                asked().is_asked_by(device, &question),
                answers,
                "{device} {question:?}"
            );
        }
    }

    #[test]
    fn an_answer_counts_once_and_not_after_the_end() {
        let answer = Uuid::from_u128(2);
        assert_eq!(asked().standing(answer), Standing::First);
        let ended = Asked {
            ended_at: Some(DateTime::UNIX_EPOCH),
            ..asked()
        };
        assert_eq!(ended.standing(answer), Standing::Late);
        let answered = Asked {
            answer_id: Some(answer),
            ..ended
        };
        assert_eq!(answered.standing(answer), Standing::Again);
        assert_eq!(answered.standing(Uuid::from_u128(3)), Standing::Late);
    }
}
