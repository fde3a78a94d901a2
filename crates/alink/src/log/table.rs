//! The texts. Numbers are stored: one that was given is never changed nor given again.

use std::borrow::Cow;

use super::{Explanation, LogKind, RrpcCode, Status, Value};

macro_rules! contents {
    ($($number:literal $kind:ident $name:ident $({$($field:ident: $type:ty),+})? $text:literal;)*) => {
        /// What a line tells. Fields stand in the order in which they fill the text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Content<'a> {
            $(#[doc = $text] $name $({$($field: $type),+})?,)*
        }

        impl<'a> Content<'a> {
            pub fn number(&self) -> u16 {
                match self {
                    $(Self::$name $({$($field: _),+})? => $number,)*
                }
            }

            pub fn kind(&self) -> LogKind {
                match self {
                    $(Self::$name $({$($field: _),+})? => LogKind::$kind,)*
                }
            }

            /// The filled-in values, in the text's order.
            pub fn values(&self) -> Vec<Cow<'_, str>> {
                match self {
                    $(Self::$name $({$($field),+})? => vec![$($($field.text()),+)?],)*
                }
            }

            /// The text with its braces; nothing if the number is unknown.
            pub fn template(number: u16) -> Option<&'static str> {
                match number {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            pub fn kind_of(number: u16) -> Option<LogKind> {
                match number {
                    $($number => Some(LogKind::$kind),)*
                    _ => None,
                }
            }

            /// Every number, for filters and tests.
            pub const NUMBERS: &'static [u16] = &[$($number),*];
        }
    };
}

contents! {
    100 Activity Online "online";
    101 Activity Offline "offline";
    102 Activity ConnectRefused "connect refused";

    200 Upstream DevicePublish { topic: &'a str, qos: u8, protocol_message_id: u16 }
        "Device publish message to topic:{},QoS={},protocolMessageId:{}";
    201 Upstream RuleSend { topic: &'a str, protocol_message_id: u16 }
        "Rule engine send message to topic:{},protocolMessageId:{}";
    202 Upstream TransmitDataHub { topic: &'a str, project: &'a str, target: &'a str }
        "Transmit data from IoT topic:{} to DataHub,project:{},topic:{}";
    203 Upstream TransmitMns { topic: &'a str, queue: &'a str, theme: &'a str }
        "Transmit data from IoT topic:{} to MNS,queue:{},theme:{}";
    204 Upstream TransmitMq { topic: &'a str, target: &'a str }
        "Transmit data from IoT topic:{} to MQ,topic:{}";
    205 Upstream TransmitTableStore { topic: &'a str, instance: &'a str, table: &'a str }
        "Transmit data from IoT topic:{} to TableStore,instance:{},tableName:{}";
    206 Upstream TransmitRds { topic: &'a str, instance: &'a str, database: &'a str, table: &'a str }
        "Transmit data from IoT topic:{} to RDS,instance:{},databaseName:{},tableName:{}";
    207 Upstream Republish { topic: &'a str, target: &'a str }
        "Republish topic:{} to target topic:{}";
    208 Upstream RuleReceive { topic: &'a str }
        "RuleEngine receive message from IoT topic:{}";
    209 Upstream CheckPayload { payload: &'a str }
        "Check payload, payload:{}";

    300 Downstream PublishToTopic { topic: &'a str, protocol_message_id: u16 }
        "Publish message to topic:{},protocolMessageId:{}";
    301 Downstream PublishToDevice { qos: u8 }
        "Publish message to device,QoS={}";
    302 Downstream PublishRrpc "Publish RRPC message to device";
    303 Downstream RrpcFinished "Rrpc finished";
    304 Downstream PublishOffline "Publish offline message to device";

    400 Tsl Reported { message: &'a str }
        "Data Reported by Devices: {}";
    401 Tsl Sent { message: &'a str }
        "Downstream Cloud Data: {}";
}

macro_rules! reasons {
    ($($number:literal $status:ident $name:ident $({$($field:ident: $type:ty),+})?
        $text:literal $cause:literal $next:literal;)*) => {
        /// Why it went so. Fields stand in the order in which they fill the text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason<'a> {
            $(#[doc = $text] $name $({$($field: $type),+})?,)*
        }

        impl<'a> Reason<'a> {
            pub fn number(&self) -> u16 {
                match self {
                    $(Self::$name $({$($field: _),+})? => $number,)*
                }
            }

            /// How the line with this reason ended.
            pub fn status(&self) -> Status {
                match self {
                    $(Self::$name $({$($field: _),+})? => Status::$status,)*
                }
            }

            /// The filled-in values, in the text's order.
            pub fn values(&self) -> Vec<Cow<'_, str>> {
                match self {
                    $(Self::$name $({$($field),+})? => vec![$($($field.text()),+)?],)*
                }
            }

            /// The text with its braces; nothing if the number is unknown.
            pub fn template(number: u16) -> Option<&'static str> {
                match number {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            pub fn explain(number: u16) -> Option<Explanation> {
                match number {
                    $($number => Some(Explanation { cause: $cause, next_step: $next }),)*
                    _ => None,
                }
            }

            /// Every number, for filters and tests.
            pub const NUMBERS: &'static [u16] = &[$($number),*];
        }
    };
}

reasons! {
    100 Failure KickedBySameDevice "Kicked by the same device"
        "Another connection with the same device certificate came, and this one was closed."
        "See that each device has a certificate of its own, and that only one program connects with it.";
    101 Failure ConnectionReset "Connection reset by peer"
        "The TCP connection was reset by the device or something on the way."
        "Look at the device's network and power; a restart without a goodbye looks so too.";
    102 Failure ConnectionException "Connection occurs exception"
        "The platform closed the connection because of an error on it, or because the device was disabled or deleted; the line's detail says which."
        "Read the line's detail. If it names no cause of yours, it is a fault of the platform's: tell its operator.";
    103 Success DeviceDisconnect "Device disconnect"
        "The device said goodbye."
        "Nothing to do.";
    104 Failure KeepaliveTimeout "Keepalive timeout"
        "Nothing arrived for one and a half times the keep-alive interval, so the platform closed the connection."
        "Look at the device's network, or let it send pings in time; a longer keep-alive (up to 1200 s) tolerates more.";
    105 Failure GatewayOffline "gateway offline"
        "The gateway that speaks for this sub-device went offline."
        "Look at the gateway's own log for the reason.";
    106 Failure Refused { why: &'a str } "{}"
        "The device tried to connect and was turned away for the reason given."
        "Mend what the reason names in the device's connection parameters, or the device's state on the platform.";

    200 Failure PublishRate { limit: u32, current: u32 } "Rate limit:{maxQps},current qps: {}"
        "More messages come than the rate allows; the message was not carried."
        "Send more slowly, put several values into one message, or raise the limit.";
    201 Failure NoAuthorization "No authorization"
        "The topic is not the device's to use, or it has not subscribed it."
        "Compare the topic with the topic table: it must carry the device's own product and name, and the right direction.";
    202 Failure SystemError "System error"
        "A fault inside the platform."
        "Tell the platform's operator, with the trace id.";
    203 Failure BadRequest "Bad Request"
        "A parameter is missing or wrong: the topic, the payload (too large counts), the token, or a CoAP option."
        "Compare the request with the protocol's rules for it; the line's detail names what is wrong.";
    204 Failure PayloadNotJson "Payload is not json"
        "The topic's messages must be JSON, and this one is not."
        "Look at the message's content and send JSON.";
    205 Failure RuleOther { reason: &'a str } "{reason}"
        "The rule engine could not take or send the message."
        "Mend what the reason names; with too many requests, spread them over time.";

    210 Failure DataHubSchema { schema: &'a str } "DataHub Schema:{} is invalid!"
        "The data does not fit the target's schema."
        "Give the rule's fields the types that the target's schema has.";
    211 Failure DataHubIllegalArgument { message: &'a str } "DataHub IllegalArgumentException: {}"
        "The target was called with a wrong parameter."
        "Check project and topic of the rule's action.";
    212 Failure DataHubWrite { code: &'a str, message: &'a str }
        "Write record to DataHub occurs error! errors:[code:{},message: {}]"
        "The target refused the record."
        "Look up the code in the target's own documentation.";
    213 Failure DataHubService { message: &'a str } "Datahub ServiceException: {}"
        "The target's service failed."
        "Look at the target's state, and try again.";
    214 Failure MnsIllegalArgument { message: &'a str } "MNS IllegalArgumentException: {}"
        "The target was called with a wrong parameter."
        "Check queue and theme of the rule's action.";
    215 Failure MnsService { message: &'a str } "MNS ServiceException: {}"
        "The target's service failed."
        "Look at the target's state, and try again.";
    216 Failure MnsClient { message: &'a str } "MNS ClientException: {}"
        "The call did not get through to the target."
        "Look at the network between the platform and the target.";
    217 Failure MqIllegalArgument { message: &'a str } "MQ IllegalArgumentException: {}"
        "The target was called with a wrong parameter."
        "Check the topic of the rule's action.";
    218 Failure MqClient { message: &'a str } "MQ ClientException: {}"
        "The call did not get through to the target."
        "Look at the network between the platform and the target.";
    219 Failure TableStoreIllegalArgument { message: &'a str } "TableStore IllegalArgumentException: {}"
        "The target was called with a wrong parameter."
        "Check instance, table and keys of the rule's action.";
    220 Failure TableStoreService { message: &'a str } "TableStore ServiceException: {}"
        "The target's service failed."
        "Look at the target's state, and try again.";
    221 Failure TableStoreClient { message: &'a str } "TableStore ClientException: {}"
        "The call did not get through to the target."
        "Look at the network between the platform and the target.";
    222 Failure RdsIllegalArgument { message: &'a str } "RDS IllegalArgumentException: {}"
        "The target was called with a wrong parameter."
        "Check instance, database and table of the rule's action.";
    223 Failure RdsConnection { message: &'a str } "RDS CannotGetConnectionException: {}"
        "No connection to the database could be had."
        "Check its address, account and allowed clients, and how many connections it has left.";
    224 Failure RdsSql { message: &'a str } "RDS SQLException: {}"
        "The database refused the statement."
        "Compare the rule's fields with the table's columns and types.";

    300 Failure HubCannotPublish "IoT Hub cannot publish messages"
        "The device acknowledged nothing until 50 messages waited for it; no new one goes out meanwhile."
        "Let the device acknowledge QoS 1 messages, and look at its link.";
    301 Failure DeviceCannotReceive "Device cannot receive messages"
        "The device's link is too slow or broken, or it takes no more messages."
        "Look at the device's network and at how fast it reads.";
    302 Failure SendRate { limit: u32, current: u32 } "Rate limit:{maxQps},current qps:{}"
        "More messages are sent to the device than its rate allows; the message was not sent."
        "Send to the device more slowly, or raise the limit.";
    303 Failure RrpcCannotPublish "IoT hub cannot publish messages"
        "The device did not answer, and messages for it piled up to the limit."
        "Look at the device's link, and let it acknowledge and answer.";
    304 Failure ResponseTimeout "Response timeout"
        "The device did not answer within the time given."
        "Let the device answer on the call's topic, or give it more time (up to 8 s).";
    305 Failure Rrpc { code: RrpcCode } "{rrpcCode}"
        "The call ended without an answer: TIMEOUT none came in time, OFFLINE the device was not connected, HALFCONN its connection proved dead after the call was written, UNKNOWN anything else."
        "TIMEOUT: let the device answer, or wait longer. OFFLINE, HALFCONN: look at its connection. UNKNOWN: tell the platform's operator, with the trace id.";
}
