//! From kind and device to text.

use super::{Kind, RrpcInner, kind};
use crate::names::DeviceRef;

impl Kind<'_> {
    /// The topic of this kind for a device. A broadcast names its product itself, a registration nobody.
    pub fn topic_of(self, device: DeviceRef<'_>) -> String {
        if let Some(row) = self.row() {
            let reply = if row.is_reply { kind::REPLY } else { "" };
            return format!("{}{device}/{}{reply}", row.prefix, row.path);
        }
        match self {
            Self::EventPost { event } => format!("/sys/{device}/thing/event/{event}/post"),
            Self::EventPostReply { event } => {
                format!("/sys/{device}/thing/event/{event}/post_reply")
            }
            Self::Service { service } => format!("/sys/{device}/thing/service/{service}"),
            Self::ServiceReply { service } => {
                format!("/sys/{device}/thing/service/{service}_reply")
            }
            Self::RrpcRequest { mid } => format!("/sys/{device}/rrpc/request/{mid}"),
            Self::RrpcResponse { mid } => format!("/sys/{device}/rrpc/response/{mid}"),
            Self::ExtRrpc { mid, inner } => {
                format!("/ext/rrpc/{mid}{}", inner.plain().topic_of(device))
            }
            Self::ConfigLogPush => format!("/sys/{device}/thing/config/log/push"),
            Self::NtpRequest => format!("/ext/ntp/{device}/request"),
            Self::NtpResponse => format!("/ext/ntp/{device}/response"),
            Self::ShadowUpdate => format!("/shadow/update/{device}"),
            Self::ShadowGet => format!("/shadow/get/{device}"),
            Self::ExtError => format!("/ext/error/{device}"),
            Self::OtaInform => format!("/ota/device/inform/{device}"),
            Self::OtaProgress => format!("/ota/device/progress/{device}"),
            Self::OtaUpgrade => format!("/ota/device/upgrade/{device}"),
            Self::OtaRequest => format!("/ota/device/request/{device}"),
            Self::Custom { path } => format!("/{device}/{path}"),
            Self::Broadcast { product_key, path } => format!("/broadcast/{product_key}/{path}"),
            Self::Register => "/ext/register".to_owned(),
            Self::RegisterNew => "/ext/regnwl".to_owned(),
            Self::OutOfScope { path } => format!("/sys/{device}/{path}"),
            answered => unreachable!("{answered:?} has a row"),
        }
    }
}

impl<'a> RrpcInner<'a> {
    /// What is called, as the asynchronous topic says it.
    pub fn plain(self) -> Kind<'a> {
        match self {
            Self::PropertySet => Kind::PropertySet,
            Self::Service { service } => Kind::Service { service },
            Self::DownRaw => Kind::DownRaw,
            Self::Custom { path } => Kind::Custom { path },
        }
    }
}
