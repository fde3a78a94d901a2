use super::*;

fn content(content: Content<'_>) -> String {
    content_text(content.number(), &content.values()).unwrap()
}

fn reason(reason: Reason<'_>) -> String {
    reason_text(reason.number(), &reason.values()).unwrap()
}

#[test]
#[rustfmt::skip]
fn contents_say_what_the_reference_says() {
    let topic = "/t";
    for (line, kind, text) in [
        (Content::Online, LogKind::Activity, "online"),
        (Content::Offline, LogKind::Activity, "offline"),
        (Content::ConnectRefused, LogKind::Activity, "connect refused"),
        (Content::DevicePublish { topic, qos: 1, protocol_message_id: 7, }, LogKind::Upstream, "Device publish message to topic:/t,QoS=1,protocolMessageId:7"),
        (Content::RuleSend { topic, protocol_message_id: 0, }, LogKind::Upstream, "Rule engine send message to topic:/t,protocolMessageId:0"),
        (Content::TransmitDataHub { topic, project: "p", target: "x", }, LogKind::Upstream, "Transmit data from IoT topic:/t to DataHub,project:p,topic:x"),
        (Content::TransmitMns { topic, queue: "q", theme: "x", }, LogKind::Upstream, "Transmit data from IoT topic:/t to MNS,queue:q,theme:x"),
        (Content::TransmitMq { topic, target: "x" }, LogKind::Upstream, "Transmit data from IoT topic:/t to MQ,topic:x"),
        (Content::TransmitTableStore { topic, instance: "i", table: "n", }, LogKind::Upstream, "Transmit data from IoT topic:/t to TableStore,instance:i,tableName:n"),
        (Content::TransmitRds { topic, instance: "i", database: "d", table: "n", }, LogKind::Upstream, "Transmit data from IoT topic:/t to RDS,instance:i,databaseName:d,tableName:n"),
        (Content::Republish { topic, target: "x" }, LogKind::Upstream, "Republish topic:/t to target topic:x"),
        (Content::RuleReceive { topic }, LogKind::Upstream, "RuleEngine receive message from IoT topic:/t"),
        (Content::CheckPayload { payload: "{}" }, LogKind::Upstream, "Check payload, payload:{}"),
        (Content::PublishToTopic { topic, protocol_message_id: 65535, }, LogKind::Downstream, "Publish message to topic:/t,protocolMessageId:65535"),
        (Content::PublishToDevice { qos: 0 }, LogKind::Downstream, "Publish message to device,QoS=0"),
        (Content::PublishRrpc, LogKind::Downstream, "Publish RRPC message to device"),
        (Content::RrpcFinished, LogKind::Downstream, "Rrpc finished"),
        (Content::PublishOffline, LogKind::Downstream, "Publish offline message to device"),
        (Content::Reported { message: r#"{"a":{"b":1}}"#, }, LogKind::Tsl, r#"Data Reported by Devices: {"a":{"b":1}}"#),
        (Content::Sent { message: "{}" }, LogKind::Tsl, "Downstream Cloud Data: {}"),
    ] {
        assert_eq!(content(line), text);
        assert_eq!(
            (line.kind(), Content::kind_of(line.number())),
            (kind, Some(kind))
        );
    }
    assert_eq!(
        Content::NUMBERS.len(),
        20,
        "a content without its row above"
    );
}

#[test]
#[rustfmt::skip]
fn reasons_say_what_the_reference_says() {
    let rows = [
        (Reason::KickedBySameDevice, "Kicked by the same device"),
        (Reason::ConnectionReset, "Connection reset by peer"),
        (Reason::ConnectionException, "Connection occurs exception"),
        (Reason::DeviceDisconnect, "Device disconnect"),
        (Reason::KeepaliveTimeout, "Keepalive timeout"),
        (Reason::GatewayOffline, "gateway offline"),
        (Reason::Refused { why: "wrong signature", }, "wrong signature"),
        (Reason::PublishRate { limit: 100, current: 207, }, "Rate limit:100,current qps: 207"),
        (Reason::NoAuthorization, "No authorization"),
        (Reason::SystemError, "System error"),
        (Reason::BadRequest, "Bad Request"),
        (Reason::PayloadNotJson, "Payload is not json"),
        (Reason::RuleOther { reason: "too many requests", }, "too many requests"),
        (Reason::DataHubSchema { schema: "s" }, "DataHub Schema:s is invalid!"),
        (Reason::DataHubIllegalArgument { message: "m" }, "DataHub IllegalArgumentException: m"),
        (Reason::DataHubWrite { code: "c", message: "m", }, "Write record to DataHub occurs error! errors:[code:c,message: m]"),
        (Reason::DataHubService { message: "m" }, "Datahub ServiceException: m"),
        (Reason::MnsIllegalArgument { message: "m" }, "MNS IllegalArgumentException: m"),
        (Reason::MnsService { message: "m" }, "MNS ServiceException: m"),
        (Reason::MnsClient { message: "m" }, "MNS ClientException: m"),
        (Reason::MqIllegalArgument { message: "m" }, "MQ IllegalArgumentException: m"),
        (Reason::MqClient { message: "m" }, "MQ ClientException: m"),
        (Reason::TableStoreIllegalArgument { message: "m" }, "TableStore IllegalArgumentException: m"),
        (Reason::TableStoreService { message: "m" }, "TableStore ServiceException: m"),
        (Reason::TableStoreClient { message: "m" }, "TableStore ClientException: m"),
        (Reason::RdsIllegalArgument { message: "m" }, "RDS IllegalArgumentException: m"),
        (Reason::RdsConnection { message: "m" }, "RDS CannotGetConnectionException: m"),
        (Reason::RdsSql { message: "m" }, "RDS SQLException: m"),
        (Reason::HubCannotPublish, "IoT Hub cannot publish messages"),
        (Reason::DeviceCannotReceive, "Device cannot receive messages"),
        (Reason::SendRate { limit: 50, current: 51, }, "Rate limit:50,current qps:51"),
        (Reason::RrpcCannotPublish, "IoT hub cannot publish messages"),
        (Reason::ResponseTimeout, "Response timeout"),
        (Reason::Rrpc { code: RrpcCode::Unknown, }, "UNKNOWN"),
        (Reason::Rrpc { code: RrpcCode::Timeout, }, "TIMEOUT"),
        (Reason::Rrpc { code: RrpcCode::Offline, }, "OFFLINE"),
        (Reason::Rrpc { code: RrpcCode::HalfConn, }, "HALFCONN"),
    ];
    for (why, text) in rows {
        assert_eq!(reason(why), text);
        assert_eq!(
            why.status() == Status::Success,
            why == Reason::DeviceDisconnect,
            "{text}"
        );
    }
    assert_eq!(
        Reason::NUMBERS.len(),
        rows.len() - 3,
        "a reason without its row above"
    );
}

#[test]
fn every_reason_is_explained() {
    for number in Reason::NUMBERS {
        let explanation = Reason::explain(*number).unwrap();
        assert!(
            explanation.cause.ends_with('.') && explanation.next_step.ends_with('.'),
            "{number}"
        );
    }
}

#[test]
fn values_may_hold_braces_and_may_be_missing() {
    assert_eq!(
        content_text(209, &["{}{x}"]).unwrap(),
        "Check payload, payload:{}{x}"
    );
    assert_eq!(
        content_text(207, &["a"]).unwrap(),
        "Republish topic:a to target topic:"
    );
    assert_eq!(content_text(9999, &[] as &[&str]), None);
    assert_eq!(reason_text(9999, &[] as &[&str]), None);
}
