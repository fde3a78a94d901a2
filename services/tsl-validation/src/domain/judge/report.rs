//! Reports of properties and events: judged by the published model.

use alink::Code;
use alink::codes;
use alink::envelope::Request;
use alink::topic::{Kind, Topic};
use thing_model::{EventValue, Fault, Model, Report, check_history_post, fault};

use super::{
    NO_EVENT_INFORMATION, NO_PROPERTY_INFORMATION, NewEvent, NewValue, ProductModel, Said,
    THROTTLED, UpMessage, Verdict, faults_as_data, is_own, nested_too_deep, reply_to,
};

/// A sub-device that the reporting gateway does not have.
const NOT_IN_TOPOLOGY: u32 = 6401;

pub(super) fn is_report(kind: Kind<'_>) -> bool {
    matches!(
        kind,
        Kind::PropertyPost
            | Kind::EventPost { .. }
            | Kind::PropertyBatchPost
            | Kind::PropertyHistoryPost
    )
}

pub(super) fn judge<'a>(
    message: &UpMessage<'a>,
    topic: &Topic<'a>,
    request: &Request<'a>,
    product: Option<&'a ProductModel>,
    report: &mut Report,
    now_ms: i64,
) -> Verdict<'a> {
    let params = request.params.map_or("{}", |params| params.raw);
    let verdict = if message.throttled {
        Err(refused(
            THROTTLED.0,
            "more reports come than the rate allows",
        ))
    } else if message.raw {
        Err(refused(
            codes::DATA_FORMAT.0,
            "devices of this product send raw bytes on thing/model/up_raw",
        ))
    } else {
        product.ok_or_else(|| no_model(topic.kind()))
    };
    match verdict {
        Err(fault) => told(topic, request, params, vec![fault], None),
        Ok(product) => {
            judge_params(topic, params, product, report, now_ms);
            if let Err(code) = request.check_method(topic) {
                report.add(wrong_method(code, topic));
            }
            let mut verdict = told(
                topic,
                request,
                params,
                report.faults().to_vec(),
                Some(product),
            );
            if report.is_good() {
                effects(&mut verdict, message, topic.kind(), params, product, report);
            }
            verdict
        }
    }
}

fn judge_params(
    topic: &Topic<'_>,
    params: &str,
    product: &ProductModel,
    report: &mut Report,
    now_ms: i64,
) {
    let (model, bytes) = (&product.model, params.as_bytes());
    match topic.kind() {
        Kind::EventPost { event } => model.check_event_post(event, bytes, now_ms, report),
        Kind::PropertyBatchPost => model.check_batch_post(bytes, now_ms, report),
        Kind::PropertyHistoryPost => {
            let own = topic.device();
            let model_of = |identity: &thing_model::Identity| {
                if is_own(own, identity) {
                    Ok(model.clone())
                } else {
                    let name = &identity.device_name;
                    Err((
                        NOT_IN_TOPOLOGY,
                        format!("{name} is no sub-device of this device"),
                    ))
                }
            };
            check_history_post(bytes, now_ms, model_of, report);
        }
        _ => model.check_property_post(bytes, now_ms, report),
    }
}

/// The verdict that a message with this method and these params would get, by whoever asks.
pub(crate) fn check(
    method: &str,
    params: &str,
    product: Option<&ProductModel>,
    report: &mut Report,
    now_ms: i64,
) -> Vec<Fault> {
    let event = method
        .strip_prefix("thing.event.")
        .and_then(|rest| rest.strip_suffix(".post"));
    let service = method.strip_prefix("thing.service.");
    let kind = match event {
        Some("property") => Kind::PropertyPost,
        Some("property.batch") => Kind::PropertyBatchPost,
        Some("property.history") => Kind::PropertyHistoryPost,
        Some(event) => Kind::EventPost { event },
        None => Kind::PropertySet,
    };
    let Some(product) = product else {
        let fault = match (event, service) {
            (Some(_), _) => no_model(kind),
            _ => refused(fault::NO_SERVICES, "no model is published"),
        };
        return vec![fault];
    };
    let (model, bytes) = (&product.model, params.as_bytes());
    match (kind, service) {
        (Kind::PropertyPost, _) => model.check_property_post(bytes, now_ms, report),
        (Kind::PropertyBatchPost, _) => model.check_batch_post(bytes, now_ms, report),
        // Whoever's it says it is: nobody sent it.
        (Kind::PropertyHistoryPost, _) => {
            check_history_post(bytes, now_ms, |_| Ok(model.clone()), report);
        }
        (Kind::EventPost { event }, _) => model.check_event_post(event, bytes, now_ms, report),
        (_, Some("property.set")) => model.check_property_set(bytes, report),
        (_, Some(service)) => model.check_service_input(service, bytes, report),
        _ => {
            return vec![refused(
                fault::METHOD_NOT_FOUND,
                "no message has this method",
            )];
        }
    }
    report.faults().to_vec()
}

fn effects<'a>(
    verdict: &mut Verdict<'a>,
    message: &UpMessage<'a>,
    kind: Kind<'a>,
    params: &'a str,
    product: &'a ProductModel,
    report: &Report,
) {
    let model = &*product.model;
    let bytes = params.as_bytes();
    // What is reported as history never becomes a latest value.
    if kind != Kind::PropertyHistoryPost {
        verdict.values = report
            .values
            .iter()
            .map(|value| NewValue {
                identifier: &model.properties()[value.property].identifier,
                json: value.json(bytes),
                at_ms: value.time.unwrap_or(message.received_at),
            })
            .collect();
    }
    verdict.events = report
        .events
        .iter()
        .map(|event| new_event(model, event, bytes, message.received_at))
        .collect();
}

fn new_event<'a>(
    model: &'a Model,
    event: &EventValue,
    bytes: &'a [u8],
    received_at: i64,
) -> NewEvent<'a> {
    let definition = &model.events()[event.event];
    NewEvent {
        identifier: &definition.identifier,
        kind: definition.kind,
        data: String::from_utf8_lossy(event.span.of(bytes)),
        at_ms: event.time.unwrap_or(received_at),
    }
}

fn told<'a>(
    topic: &Topic<'a>,
    request: &Request<'a>,
    params: &'a str,
    errors: Vec<Fault>,
    product: Option<&ProductModel>,
) -> Verdict<'a> {
    let code = errors.first().map_or(fault::SUCCESS, |fault| fault.code);
    let data = match errors.as_slice() {
        [] => "{}".into(),
        faults => faults_as_data(faults).into(),
    };
    Verdict {
        reply: reply_to(topic, request, Code(code), data),
        said: Some(Said {
            code,
            id: request.id.into(),
            method: topic.method().unwrap_or_default(),
            params: Some(params).filter(|params| !nested_too_deep(params)),
            data: None,
            errors,
            version: product.map(|product| product.version),
        }),
        ..Verdict::default()
    }
}

fn no_model(kind: Kind<'_>) -> Fault {
    let code = match kind {
        Kind::EventPost { .. } => NO_EVENT_INFORMATION,
        _ => NO_PROPERTY_INFORMATION,
    };
    refused(code, "no model is published")
}

fn wrong_method(code: Code, topic: &Topic<'_>) -> Fault {
    let expected = topic.method().unwrap_or_default();
    Fault {
        pointer: "/method".to_owned(),
        code: code.0,
        message: format!("the topic's method is {expected}"),
    }
}

fn refused(code: u32, message: &str) -> Fault {
    Fault {
        pointer: String::new(),
        code,
        message: message.to_owned(),
    }
}
