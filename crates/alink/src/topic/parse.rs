//! From text to topic.

use super::{BadTopic, Kind, RrpcInner, Topic, kind};
use crate::{
    limits,
    names::{DeviceRef, ProductKey},
};

const ASKS_PARSING: &str = "?_sn=default";
const EXT_RRPC: &str = "/ext/rrpc/";

pub(super) fn topic(text: &str) -> Result<Topic<'_>, BadTopic> {
    if let Some(stripped) = text.strip_suffix(ASKS_PARSING) {
        let topic = read(stripped).ok_or(BadTopic)?;
        return match topic.kind {
            Kind::Custom { .. } => Ok(Topic {
                asks_parsing: true,
                ..topic
            }),
            _ => Err(BadTopic),
        };
    }
    read(text).ok_or(BadTopic)
}

fn read(text: &str) -> Option<Topic<'_>> {
    let (first, rest) = text.strip_prefix('/')?.split_once('/')?;
    let (device, kind) = match first {
        "sys" => {
            let (device, path) = device_and_path(rest)?;
            (Some(device), sys(path)?)
        }
        "ext" => ext(text, rest)?,
        "ota" => ota(rest)?,
        "shadow" => shadow(rest)?,
        "broadcast" => (None, broadcast(rest)?),
        _ => {
            let (device, path) = device_and_path(&text[1..])?;
            (Some(device), custom(path)?)
        }
    };
    Some(Topic {
        text,
        device,
        kind,
        asks_parsing: false,
    })
}

fn sys(path: &str) -> Option<Kind<'_>> {
    let (base, is_reply) = match path.strip_suffix(kind::REPLY) {
        Some(base) => (base, true),
        None => (path, false),
    };
    if let Some((request, reply)) = Kind::answered(kind::SYS, base) {
        return Some(if is_reply { reply } else { request });
    }
    if let Some(event) = base.strip_prefix("thing/event/") {
        let event = level(event.strip_suffix("/post")?)?;
        return Some(if is_reply {
            Kind::EventPostReply { event }
        } else {
            Kind::EventPost { event }
        });
    }
    if let Some(service) = base.strip_prefix("thing/service/") {
        let service = level(service)?;
        return Some(if is_reply {
            Kind::ServiceReply { service }
        } else {
            Kind::Service { service }
        });
    }
    if let Some(mid) = path.strip_prefix("rrpc/request/") {
        return Some(Kind::RrpcRequest { mid: rrpc_id(mid)? });
    }
    if let Some(mid) = path.strip_prefix("rrpc/response/") {
        return Some(Kind::RrpcResponse { mid: rrpc_id(mid)? });
    }
    if path == "thing/config/log/push" {
        return Some(Kind::ConfigLogPush);
    }
    let out_of_scope = base == "thing/reset"
        || ["thing/awss/", "thing/lan/", "thing/job/"]
            .iter()
            .any(|tree| path.starts_with(tree));
    (out_of_scope && path.split('/').all(|text| level(text).is_some()))
        .then_some(Kind::OutOfScope { path })
}

fn ext<'a>(text: &'a str, rest: &'a str) -> Option<(Option<DeviceRef<'a>>, Kind<'a>)> {
    match rest {
        "register" => return Some((None, Kind::Register)),
        "regnwl" => return Some((None, Kind::RegisterNew)),
        _ => {}
    }
    let (branch, rest) = rest.split_once('/')?;
    match branch {
        "ntp" => {
            let (device, path) = device_and_path(rest)?;
            let kind = match path {
                "request" => Kind::NtpRequest,
                "response" => Kind::NtpResponse,
                _ => return None,
            };
            Some((Some(device), kind))
        }
        "rrpc" => {
            let (mid, inner) = inner(text)?;
            let (device, inner) = rrpc_inner(inner)?;
            Some((
                Some(device),
                Kind::ExtRrpc {
                    mid: rrpc_id(mid)?,
                    inner,
                },
            ))
        }
        "session" => {
            let (device, path) = device_and_path(rest)?;
            let kind = match path.strip_suffix(kind::REPLY) {
                Some(base) => Kind::answered(kind::SESSION, base)?.1,
                None => Kind::answered(kind::SESSION, path)?.0,
            };
            Some((Some(device), kind))
        }
        "error" => Some((Some(device(rest)?), Kind::ExtError)),
        _ => None,
    }
}

fn ota(rest: &str) -> Option<(Option<DeviceRef<'_>>, Kind<'_>)> {
    let (verb, rest) = rest.strip_prefix("device/")?.split_once('/')?;
    let kind = match verb {
        "inform" => Kind::OtaInform,
        "progress" => Kind::OtaProgress,
        "upgrade" => Kind::OtaUpgrade,
        "request" => Kind::OtaRequest,
        _ => return None,
    };
    Some((Some(device(rest)?), kind))
}

fn shadow(rest: &str) -> Option<(Option<DeviceRef<'_>>, Kind<'_>)> {
    let (verb, rest) = rest.split_once('/')?;
    let kind = match verb {
        "update" => Kind::ShadowUpdate,
        "get" => Kind::ShadowGet,
        _ => return None,
    };
    Some((Some(device(rest)?), kind))
}

fn broadcast(rest: &str) -> Option<Kind<'_>> {
    let (product_key, path) = rest.split_once('/')?;
    (ProductKey::is_valid(product_key) && is_custom_path(path))
        .then_some(Kind::Broadcast { product_key, path })
}

fn custom(path: &str) -> Option<Kind<'_>> {
    is_custom_path(path).then_some(Kind::Custom { path })
}

/// The message id and the inner topic of `/ext/rrpc/{mid}{topic}`.
pub(super) fn inner(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix(EXT_RRPC)?;
    Some(rest.split_at(rest.find('/')?))
}

fn rrpc_inner(text: &str) -> Option<(DeviceRef<'_>, RrpcInner<'_>)> {
    let topic = read_without_rrpc(text)?;
    let inner = match topic.kind {
        Kind::PropertySet => RrpcInner::PropertySet,
        Kind::Service { service } => RrpcInner::Service { service },
        Kind::DownRaw => RrpcInner::DownRaw,
        Kind::Custom { path } => RrpcInner::Custom { path },
        _ => return None,
    };
    Some((topic.device?, inner))
}

/// Nesting would let a hostile topic recurse.
fn read_without_rrpc(text: &str) -> Option<Topic<'_>> {
    if text.starts_with("/ext/") {
        None
    } else {
        read(text)
    }
}

/// What stands behind `/sys/{pk}/{dn}/`.
pub(super) fn sys_path(text: &str) -> Option<&str> {
    device_and_path(text.strip_prefix(kind::SYS)?).map(|(_, path)| path)
}

fn device_and_path(text: &str) -> Option<(DeviceRef<'_>, &str)> {
    let (product_key, rest) = text.split_once('/')?;
    let (device_name, path) = rest.split_once('/')?;
    Some((DeviceRef::parse(product_key, device_name)?, path))
}

fn device(text: &str) -> Option<DeviceRef<'_>> {
    let (product_key, device_name) = text.split_once('/')?;
    DeviceRef::parse(product_key, device_name)
}

/// One level that is a name, not a wildcard.
fn level(text: &str) -> Option<&str> {
    (!text.is_empty()
        && !text
            .bytes()
            .any(|byte| matches!(byte, b'/' | b'+' | b'#' | 0)))
    .then_some(text)
}

/// Digits without leading zeros, so that an id has one text.
fn rrpc_id(text: &str) -> Option<u64> {
    let canonical = (1..=limits::RRPC_ID_DIGITS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    canonical.then(|| text.parse().ok())?
}

/// Levels of letters, digits and `_`, none empty.
fn is_custom_path(path: &str) -> bool {
    path.split('/').all(|level| {
        !level.is_empty()
            && level
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
