//! Service calls and their replies (protocol page, sections 6.5 and 6.6).

use super::judge::check;
use super::report::Report;
use crate::fault::{self, Fault};
use crate::model::{Members, Model, Service};
use crate::path::Path;

impl Model {
    /// Judges the `params` of a service call before it is sent. A model without services is
    /// 6206, an unknown service 6300.
    pub fn check_service_input(&self, service: &str, params: &[u8], out: &mut Report) {
        self.check_service(service, |service| &service.inputs, params, out);
    }

    /// Judges the `data` of a device's reply to a service call.
    pub fn check_service_output(&self, service: &str, data: &[u8], out: &mut Report) {
        self.check_service(service, |service| &service.outputs, data, out);
    }

    fn check_service(
        &self,
        identifier: &str,
        members: impl FnOnce(&Service) -> &Members,
        bytes: &[u8],
        out: &mut Report,
    ) {
        let Some(service) = self.service(identifier) else {
            out.clear();
            let none = self.services().is_empty();
            let code = if none {
                fault::NO_SERVICES
            } else {
                fault::METHOD_NOT_FOUND
            };
            let shown = crate::json::excerpt(identifier.as_bytes());
            let message = if none {
                "the model has no services".to_owned()
            } else {
                format!("the service `{shown}` is not in the model")
            };
            out.add(Fault {
                pointer: String::new(),
                code,
                message,
            });
            return;
        };
        check(bytes, 0, out, |judge| {
            if judge.cursor.ahead() != Some(b'{') {
                return judge.malformed(&Path::Root, "object of parameters");
            }
            judge.parameters(members(service), &Path::Root)
        });
    }
}
