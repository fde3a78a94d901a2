//! What may be sent to a device, checked in the order and with the codes of `docs/codes.md`.

use thing_model::{CallType, Fault, Report, fault};

use super::judge::ProductModel;

/// Bytes of the `params` of a set or call: with its envelope it must fit a device's payload limit.
pub(crate) const PARAMS_BYTES: usize = 128 * 1024;

/// Bytes of a called service's identifier: more than any model's can have, and few enough for a
/// line, which names it whole.
pub(crate) const SERVICE_BYTES: usize = 256;

pub(crate) const SET: &str = "thing.service.property.set";

/// How the registry knows the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub disabled: bool,
    pub activated: bool,
    pub online: bool,
    /// Its product's devices write raw bytes.
    pub raw: bool,
}

/// What is asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking<'a> {
    Set,
    Call { service: &'a str },
}

/// Why nothing is sent. Never without a fault; the first one's code is the refusal's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The device's state forbids it, not what was asked.
    pub by_state: bool,
    pub faults: Vec<Fault>,
}

impl Refused {
    pub(crate) fn code(&self) -> u32 {
        self.faults
            .first()
            .map_or(fault::INVALID_PARAMETER, |fault| fault.code)
    }
}

pub(crate) const DISABLED: u32 = 6208;
pub(crate) const NOT_ACTIVATED: u32 = 9200;
pub(crate) const OFFLINE: u32 = 9201;
pub(crate) const NO_SCRIPT: u32 = 6200;

impl Asking<'_> {
    /// As on the wire.
    pub(crate) fn method(&self) -> String {
        match self {
            Self::Set => SET.to_owned(),
            Self::Call { service } => format!("thing.service.{service}"),
        }
    }

    /// Says how it is to be sent, or why not: first the device's state, then the model, then members.
    pub(crate) fn check(
        &self,
        params: &str,
        device: Standing,
        product: Option<&ProductModel>,
        report: &mut Report,
    ) -> Result<CallType, Refused> {
        let state = [
            (device.disabled, DISABLED, "the device is disabled"),
            (
                !device.activated,
                NOT_ACTIVATED,
                "the device was never connected",
            ),
            (!device.online, OFFLINE, "the device is offline"),
        ];
        if let Some((_, code, message)) = state.into_iter().find(|(forbids, _, _)| *forbids) {
            return Err(refused(true, code, message));
        }
        if device.raw {
            let message = "the product has no published script that turns requests into bytes";
            return Err(refused(false, NO_SCRIPT, message));
        }
        let Some(product) = product else {
            return Err(refused(false, fault::NO_SERVICES, "no model is published"));
        };
        let model = &product.model;
        let call_type = match self {
            Self::Set => {
                model.check_property_set(params.as_bytes(), report);
                CallType::Async
            }
            Self::Call { service } => {
                model.check_service_input(service, params.as_bytes(), report);
                model
                    .service(service)
                    .map_or(CallType::Async, |service| service.call_type)
            }
        };
        if report.is_good() {
            Ok(call_type)
        } else {
            Err(Refused {
                by_state: false,
                faults: report.faults().to_vec(),
            })
        }
    }
}

fn refused(by_state: bool, code: u32, message: &str) -> Refused {
    let fault = Fault {
        pointer: String::new(),
        code,
        message: message.to_owned(),
    };
    Refused {
        by_state,
        faults: vec![fault],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use thing_model::{Document, Model};

    use super::*;

    const READY: Standing = Standing {
        disabled: false,
        activated: true,
        online: true,
        raw: false,
    };

    fn product(document: &str) -> ProductModel {
        let parsed = Document::parse(document.as_bytes()).expect("a good document");
        ProductModel {
            version: 1,
            document: document.into(),
            model: Arc::new(Model::compile(&parsed)),
        }
    }

    fn boiler() -> ProductModel {
        product(
            r#"{"properties":[
                {"identifier":"pressure","name":"p","accessMode":"r","dataType":{"type":"float","specs":{"min":"0","max":"16"}}},
                {"identifier":"setpoint","name":"s","accessMode":"rw","dataType":{"type":"float","specs":{"min":"1","max":"12"}}}],
              "services":[
                {"identifier":"Purge","name":"Purge","callType":"async","inputData":[
                    {"identifier":"seconds","name":"s","required":true,"dataType":{"type":"int","specs":{"min":"1","max":"600"}}}],"outputData":[]},
                {"identifier":"SelfTest","name":"t","callType":"sync","inputData":[],"outputData":[]}]}"#,
        )
    }

    #[test]
    fn refusals_come_in_the_order_of_the_codes() {
        let purge = Asking::Call { service: "Purge" };
        let nobody = Asking::Call { service: "Dance" };
        let boiler = boiler();
        let empty = product(r#"{"properties":[],"services":[]}"#);
        let broken = Standing {
            disabled: true,
            activated: false,
            online: false,
            raw: true,
        };
        let table = [
            (purge, "{}", broken, None, Err(DISABLED)),
            (
                purge,
                "{}",
                Standing {
                    disabled: false,
                    ..broken
                },
                None,
                Err(NOT_ACTIVATED),
            ),
            (
                purge,
                "{}",
                Standing {
                    activated: true,
                    disabled: false,
                    ..broken
                },
                None,
                Err(OFFLINE),
            ),
            (
                purge,
                "{}",
                Standing { raw: true, ..READY },
                None,
                Err(NO_SCRIPT),
            ),
            (purge, "{}", READY, None, Err(fault::NO_SERVICES)),
            (Asking::Set, "{}", READY, None, Err(fault::NO_SERVICES)),
            (purge, "{}", READY, Some(&empty), Err(fault::NO_SERVICES)),
            (
                nobody,
                "{}",
                READY,
                Some(&boiler),
                Err(fault::METHOD_NOT_FOUND),
            ),
            (
                purge,
                "{}",
                READY,
                Some(&boiler),
                Err(fault::PARAMETER_MISSING),
            ),
            (
                purge,
                r#"{"seconds":0}"#,
                READY,
                Some(&boiler),
                Err(fault::NOT_INT),
            ),
            (purge, "[]", READY, Some(&boiler), Err(fault::DATA_FORMAT)),
            (
                Asking::Set,
                r#"{"pressure":5}"#,
                READY,
                Some(&boiler),
                Err(fault::INVALID_PARAMETER),
            ),
            (
                Asking::Set,
                r#"{"flow":5}"#,
                READY,
                Some(&boiler),
                Err(fault::PROPERTY_NOT_FOUND),
            ),
            (
                Asking::Set,
                r#"{"setpoint":13}"#,
                READY,
                Some(&boiler),
                Err(fault::NOT_FLOAT),
            ),
            (
                Asking::Set,
                r#"{"setpoint":7.5}"#,
                READY,
                Some(&boiler),
                Ok(CallType::Async),
            ),
            (
                purge,
                r#"{"seconds":30}"#,
                READY,
                Some(&boiler),
                Ok(CallType::Async),
            ),
            (
                Asking::Call {
                    service: "SelfTest",
                },
                "{}",
                READY,
                Some(&boiler),
                Ok(CallType::Sync),
            ),
        ];
        for (asking, params, device, product, expected) in table {
            let decided = asking.check(params, device, product, &mut Report::new());
            let decided = decided.map_err(|refused| refused.code());
            assert_eq!(decided, expected, "{asking:?} {params} {device:?}");
        }
    }
}
