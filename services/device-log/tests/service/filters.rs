//! Which lines a question finds, and who may ask it.

use prost_types::Timestamp;
use proto::hoshu::devicelog::v1::line::{Status, Type};
use proto::hoshu::devicelog::v1::{Line, ListLogsRequest};
use tonic::Code;

use crate::house::{FOREIGN, LogHouse, all, contents, down, entry, id, online, refused, tsl, up};

fn moment(ms: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: ms.div_euclid(1_000),
        nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32,
    })
}

/// Kind, status and device of lines, in their order.
fn told(lines: &[Line]) -> Vec<(Type, bool, &str)> {
    let failed = |line: &Line| line.status() == Status::Failure;
    lines
        .iter()
        .map(|line| (line.r#type(), failed(line), line.device_name.as_str()))
        .collect()
}

#[tokio::test]
async fn each_filter_finds_its_lines_and_all_together_too() {
    let log = LogHouse::new().await;
    let t = log.now;
    // A report, what was wrong with another, a refusal, a connection, and a command
    // whose answer came ten minutes later.
    let command = id(t - 4_000, 4);
    log.keep(&[
        entry(
            id(t - 1_000, 1),
            1,
            "pump-1",
            vec![up(t - 1_000, "/a"), tsl(t - 990, 200), down(t - 980)],
        ),
        entry(
            id(t - 2_000, 2),
            1,
            "pump-2",
            vec![up(t - 2_000, "/b"), tsl(t - 1_990, 6306)],
        ),
        entry(
            id(t - 3_000, 3),
            1,
            "pump-2",
            vec![refused(t - 3_000, "/c")],
        ),
        entry(id(t - 3_500, 9), 1, "pump-1", vec![online(t - 3_500)]),
        entry(
            command,
            1,
            "pump-1",
            vec![down(t - 4_000), tsl(t - 3_990, 200)],
        ),
        entry(
            command,
            2,
            "pump-1",
            vec![up(t + 600_000, "/answer"), tsl(t + 600_010, 200)],
        ),
    ])
    .await;

    use Type::{Activity, Downstream, Tsl, Upstream};
    let everything = log
        .list(ListLogsRequest {
            page_size: 2,
            ..all()
        })
        .await;
    assert_eq!(
        told(&everything),
        [
            (Downstream, false, "pump-1"),
            (Tsl, false, "pump-1"),
            (Upstream, false, "pump-1"),
            (Tsl, true, "pump-2"),
            (Upstream, false, "pump-2"),
            (Upstream, true, "pump-2"),
            (Activity, false, "pump-1"),
            (Tsl, false, "pump-1"),
            (Upstream, false, "pump-1"),
            (Tsl, false, "pump-1"),
            (Downstream, false, "pump-1"),
        ]
    );

    let find = async |change: &dyn Fn(&mut ListLogsRequest)| {
        let mut request = ListLogsRequest {
            page_size: 1,
            ..all()
        };
        change(&mut request);
        log.list(request).await
    };
    let kinds = find(&|ask| ask.r#type = vec![Activity.into(), Downstream.into()]).await;
    assert_eq!(
        told(&kinds).iter().map(|line| line.0).collect::<Vec<_>>(),
        [Downstream, Activity, Downstream]
    );

    let device = find(&|ask| ask.device_name = Some("pump-2".into())).await;
    assert_eq!(
        told(&device),
        [
            (Tsl, true, "pump-2"),
            (Upstream, false, "pump-2"),
            (Upstream, true, "pump-2")
        ]
    );
    assert!(
        find(&|ask| ask.device_name = Some("pump-3".into()))
            .await
            .is_empty()
    );

    let failures = find(&|ask| ask.status = Some(Status::Failure.into())).await;
    assert_eq!(
        told(&failures),
        [(Tsl, true, "pump-2"), (Upstream, true, "pump-2")]
    );
    assert_eq!(failures[0].code, Some(6306));
    assert_eq!(failures[1].reason, "No authorization");
    let successes = find(&|ask| ask.status = Some(Status::Success.into())).await;
    assert_eq!(successes.len(), 9);

    // The command's lines and its late answer's.
    let message = find(&|ask| ask.message_id = Some(command.to_string())).await;
    assert_eq!(
        told(&message).iter().map(|line| line.0).collect::<Vec<_>>(),
        [Tsl, Upstream, Tsl, Downstream]
    );
    assert!(
        message
            .iter()
            .all(|line| line.message_id == command.to_string())
    );
    // The key of a connection's line is no message's id.
    let key = id(t - 3_500, 9).to_string();
    assert!(
        find(&|ask| ask.message_id = Some(key.clone()))
            .await
            .is_empty()
    );

    // By the lines' own times: inclusive, exclusive; the late answer by when it came.
    let span = find(&|ask| (ask.from, ask.to) = (moment(t - 3_000), moment(t - 990))).await;
    assert_eq!(
        told(&span),
        [
            (Upstream, false, "pump-1"),
            (Tsl, true, "pump-2"),
            (Upstream, false, "pump-2"),
            (Upstream, true, "pump-2")
        ]
    );
    let late = find(&|ask| ask.from = moment(t + 1)).await;
    assert_eq!(
        told(&late),
        [(Tsl, false, "pump-1"), (Upstream, false, "pump-1")]
    );
    let early = find(&|ask| ask.to = moment(t - 3_990)).await;
    assert_eq!(told(&early), [(Downstream, false, "pump-1")]);

    let together = find(&|ask| {
        ask.r#type = vec![Tsl.into()];
        ask.device_name = Some("pump-1".into());
        ask.status = Some(Status::Success.into());
        ask.message_id = Some(command.to_string());
        ask.from = moment(t);
        ask.to = moment(t + 3_600_000);
    })
    .await;
    assert_eq!(contents(&together), ["Data Reported by Devices: {}"]);
    log.house.stop().await;
}

#[tokio::test]
async fn a_stranger_finds_no_product_and_a_wrong_question_names_its_faults() {
    let log = LogHouse::new().await;
    for product in [FOREIGN, "a0a0a0", "", "no/key"] {
        let refused = log
            .ask(ListLogsRequest {
                product_key: product.into(),
                ..all()
            })
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::NotFound, "{product}");
    }
    let wrong = log
        .ask(ListLogsRequest {
            message_id: Some("12".into()),
            r#type: vec![9],
            ..all()
        })
        .await;
    let refusal = chassis::Refusal::from(wrong.unwrap_err());
    let pointers: Vec<_> = refusal
        .errors
        .iter()
        .map(|fault| fault.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/messageId", "/type"]);
    for token in ["00", "zz"] {
        let wrong = log
            .ask(ListLogsRequest {
                page_token: token.into(),
                ..all()
            })
            .await;
        assert_eq!(wrong.unwrap_err().code(), Code::InvalidArgument, "{token}");
    }
    log.house.stop().await;
}
