//! Claims whose answer never came: the registry may hold a session for us that nobody is connected to.
//!
//! Looked at by the clock: a session of this node that is in no directory at two looks is given back. One
//! look alone could meet a claim that is just being answered.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ahash::AHashMap;
use alink::Device;
use chassis::Phase;
use proto::hoshu::registry::internal::v1::{
    LocateRequest, Place, Release, locate_request::Question,
};

use crate::{domain::ending::End, gateway::Gateway};

/// Time between two looks: longer than any claim is waited for.
const EVERY: Duration = Duration::from_secs(15);
/// Devices in one question.
const AT_ONCE: usize = 1000;

/// Devices whose claim was not answered, each with the session that was nobody's at the last look.
/// At most one entry a device, so that no more wait than there are devices.
#[derive(Debug, Default)]
pub(crate) struct Unclear(Mutex<AHashMap<Device, Option<u64>>>);

impl Unclear {
    pub(crate) fn push(&self, device: Device) {
        self.lock().insert(device, None);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, AHashMap<Device, Option<u64>>> {
        self.0.lock().expect("not poisoned")
    }

    fn some(&self) -> Vec<(Device, Option<u64>)> {
        let entries = self.lock();
        let some = entries.iter().take(AT_ONCE);
        some.map(|(device, seen)| (device.clone(), *seen)).collect()
    }
}

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Inbox, "work.unclear", move |stop| {
            let gateway = gateway.clone();
            async move {
                while stop
                    .run_until_cancelled(gateway.clock.sleep(EVERY))
                    .await
                    .is_some()
                {
                    look(&gateway).await;
                }
                Ok(())
            }
        });
}

async fn look(gateway: &Gateway) {
    let entries = gateway.unclear.some();
    if entries.is_empty() {
        return;
    }
    let question = |(device, _): &(Device, Option<u64>)| Question {
        product_key: device.product_key.as_str().into(),
        device_name: device.device_name.as_str().into(),
    };
    let devices = entries.iter().map(question).collect();
    let answers = match gateway.registry().locate(LocateRequest { devices }).await {
        Ok(answers) => answers.into_inner().answers,
        Err(status) => {
            return tracing::warn!(%status, "unclear claims are looked at again later");
        }
    };
    for ((device, seen), answer) in entries.into_iter().zip(answers) {
        let lost = answer.place.filter(|place| is_nobodys(gateway, place));
        match lost {
            Some(place) if seen == Some(place.session) => give_back(gateway, &place),
            Some(place) => {
                gateway.unclear.lock().insert(device, Some(place.session));
                continue;
            }
            None => {}
        }
        gateway.unclear.lock().remove(&device);
    }
}

fn is_nobodys(gateway: &Gateway, place: &Place) -> bool {
    let here = gateway.sessions.get(place.device_id);
    place.node == gateway.chassis.node()
        && here.is_none_or(|handle| handle.session != place.session)
}

fn give_back(gateway: &Gateway, place: &Place) {
    tracing::warn!(
        session = place.session,
        "a session whose claim was not answered is given back"
    );
    let (reason, detail) = End::Internal.release();
    gateway.releases.push(Release {
        device_id: place.device_id,
        session: place.session,
        reason: reason.into(),
        detail: detail.into(),
        at: gateway.clock.now_ms(),
    });
}
