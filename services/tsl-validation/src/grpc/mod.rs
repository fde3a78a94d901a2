//! The asked door: `hoshu.thing.v1`, a file per group of operations.

use chassis::Caller;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::hoshu::thing::v1::thing_service_server::ThingService;
use proto::hoshu::thing::v1::*;
use tonic::{Request, Response, Status};

use crate::Thing;

mod check;
mod command;
mod model;
mod reported;

/// Bytes of one request: a document, or the params of a command, with room for their names.
pub(crate) const REQUEST_BYTES: usize = 512 * 1024;

pub(crate) struct Door(pub Thing);

/// Names the caller, does it, and turns a refusal into a status.
macro_rules! doors {
    ($($name:ident($request:ident) -> $answer:ident = $handle:path;)*) => {
        #[tonic::async_trait]
        impl ThingService for Door {
            $(async fn $name(
                &self,
                request: Request<$request>,
            ) -> Result<Response<$answer>, Status> {
                let caller = Caller::of(&request)?;
                Ok(Response::new($handle(&self.0, caller, request.into_inner()).await?))
            })*
        }
    };
}

doors! {
    get_thing_model(GetThingModelRequest) -> ThingModel = model::get;
    put_thing_model(PutThingModelRequest) -> ThingModel = model::put;
    publish_thing_model(PublishThingModelRequest) -> ThingModelVersion = model::publish;
    list_thing_model_versions(ListThingModelVersionsRequest) -> ListThingModelVersionsResponse = model::versions;
    get_thing_model_version(GetThingModelVersionRequest) -> ThingModel = model::version;
    check_message(CheckMessageRequest) -> CheckMessageResponse = check::check;
    list_properties(ListPropertiesRequest) -> ListPropertiesResponse = reported::properties;
    list_events(ListEventsRequest) -> ListEventsResponse = reported::events;
    set_properties(SetPropertiesRequest) -> CommandResult = command::set;
    call_service(CallServiceRequest) -> CommandResult = command::call;
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    }
}
