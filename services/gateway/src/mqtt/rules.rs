//! What the specifications forbid and the codec lets pass.

use rmqtt_codec::{
    types::{Publish, QoS},
    v3, v5,
};

use crate::domain::ending::Violation;

const SHARED: &str = "$share/";

fn texts<'a>(mut texts: impl Iterator<Item = &'a str>) -> Result<(), Violation> {
    if texts.any(|text| text.contains('\0')) {
        return Err(Violation::Malformed);
    }
    Ok(())
}

fn has_wildcards(topic: &str) -> bool {
    topic.bytes().any(|byte| matches!(byte, b'+' | b'#'))
}

fn pairs<'a, T: AsRef<str> + 'a>(
    properties: impl IntoIterator<Item = &'a (T, T)>,
) -> impl Iterator<Item = &'a str> {
    properties
        .into_iter()
        .flat_map(|(name, value)| [name.as_ref(), value.as_ref()])
}

pub(super) fn connect_v3(connect: &v3::Connect) -> Result<(), Violation> {
    let will = connect.last_will.iter().map(|will| &*will.topic);
    texts(
        will.chain([&*connect.client_id])
            .chain(connect.username.as_deref()),
    )
}

pub(super) fn connect_v5(connect: &v5::Connect) -> Result<(), Violation> {
    let will = connect.last_will.iter().flat_map(|will| {
        let named = [&will.content_type, &will.response_topic];
        let named = named.into_iter().filter_map(|text| text.as_deref());
        named
            .chain([&*will.topic])
            .chain(pairs(&will.user_properties))
    });
    let method = connect.auth_method.as_deref();
    texts(
        will.chain([&*connect.client_id])
            .chain(connect.username.as_deref())
            .chain(method)
            .chain(pairs(&connect.user_properties)),
    )?;
    // What proves something is nothing without how.
    if connect.auth_data.is_some() && method.is_none() {
        return Err(Violation::Malformed);
    }
    Ok(())
}

pub(super) fn publish(publish: &Publish) -> Result<(), Violation> {
    texts([&*publish.topic].into_iter())?;
    if has_wildcards(&publish.topic) {
        return Err(Violation::TopicName);
    }
    if publish.dup && publish.qos == QoS::AtMostOnce {
        return Err(Violation::Malformed);
    }
    let Some(properties) = &publish.properties else {
        return Ok(());
    };
    // MQTT 5 was told that none are kept.
    if publish.retain {
        return Err(Violation::Retain);
    }
    let response = properties.response_topic.as_deref();
    texts(
        pairs(&properties.user_properties)
            .chain(response)
            .chain(properties.content_type.as_deref()),
    )?;
    if response.is_some_and(has_wildcards) || !properties.subscription_ids.is_empty() {
        return Err(Violation::UnexpectedPacket);
    }
    Ok(())
}

pub(super) fn filters<'a>(
    mut filters: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Violation> {
    texts(filters.clone())?;
    if filters.any(str::is_empty) {
        return Err(Violation::Malformed);
    }
    Ok(())
}

/// Nobody can ask not to hear itself among others who share a subscription.
pub(super) fn options(subscribe: &v5::Subscribe) -> Result<(), Violation> {
    let mut asked = subscribe.topic_filters.iter();
    if asked.any(|(filter, options)| options.no_local && filter.starts_with(SHARED)) {
        return Err(Violation::UnexpectedPacket);
    }
    Ok(())
}

/// Behind each filter of a 3.1.1 SUBSCRIBE stands a QoS; the codec looks at its two bits only.
pub(super) fn options_v3(body: &[u8]) -> Result<(), Violation> {
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        // What is cut off is the codec's to find.
        let Some(qos) = behind.get(length) else {
            return Ok(());
        };
        if *qos > 2 {
            return Err(Violation::Malformed);
        }
        rest = &behind[length + 1..];
    }
    Ok(())
}
